/**
 * The types of one actor, carried together: every context and hook takes this one parameter.
 */
import type { Database, DatabaseAccess } from "./database.ts";
import type { EventDeclarations } from "./event.ts";
import type { QueueDeclarations } from "./queue.ts";

/** State, connections, vars, input, events and names of actions of an actor. */
export interface ActorTypes {
  readonly state: unknown;
  readonly connParams: unknown;
  readonly connState: unknown;
  readonly vars: unknown;
  readonly input: unknown;
  readonly events: EventDeclarations;
  /** Names of the actions and groups of actions; any string where they aren't known. */
  readonly actionNames: string;
  readonly queues: QueueDeclarations;
  /** What `c.db` is. */
  readonly database: DatabaseAccess;
}

/** Builds the bag from its parts. */
export interface Types<
  S,
  CP,
  CS,
  V,
  I,
  E extends EventDeclarations,
  N extends string = string,
  Q extends QueueDeclarations = QueueDeclarations,
  D extends DatabaseAccess = Database,
> extends ActorTypes {
  readonly state: S;
  readonly connParams: CP;
  readonly connState: CS;
  readonly vars: V;
  readonly input: I;
  readonly events: E;
  readonly actionNames: N;
  readonly queues: Q;
  readonly database: D;
}

/** The bag with the parts that a definition leaves open. */
export type AnyTypes = Types<
  unknown,
  unknown,
  unknown,
  unknown,
  unknown,
  EventDeclarations,
  string,
  QueueDeclarations,
  DatabaseAccess
>;
