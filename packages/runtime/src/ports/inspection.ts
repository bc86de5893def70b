/**
 * What people see of an actor's data, and what they may change of it.
 *
 * A part of an actor that has rows (schedules, queues, workflows) says in one {@link InspectorSection} how they are read.
 * It gets the rows of an actor that is awake, asleep, or elsewhere, and never knows which: so no actor is woken to be
 * looked at. The inspector waits for the actor's gate before it shows what a section has read.
 */
import type { BindParams, ExecuteResult } from "@troupe/protocol";
import type { ActorStore } from "./storage.ts";

/** One page of something. */
export interface PageQuery {
  /** 1 or more. */
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after: string | undefined;
  readonly prefix: string | undefined;
}

/** What a definition has or hasn't. */
export type ActorPart = "state" | "queues" | "workflow";

/** A part of an actor, as people see it. */
export interface InspectorSection {
  /** Its name in the address. */
  readonly name: string;
  /** What a definition has to have for there to be anything; absent: any actor may have it. */
  readonly part?: ActorPart;
  /** What is shown: a plain object. `rows` show each batch that was taken. */
  read(rows: Pick<ActorStore, "read" | "list">, query: PageQuery): Promise<object>;
}

/** A connected client, as people see it. */
export interface ConnectedClient {
  readonly id: string;
  readonly encoding: string;
  readonly params: unknown;
  readonly subscriptions: ReadonlySet<string>;
}

/** What people may change by hand of an actor that is awake. Each change is one of the actor's own, in a turn of it. */
export interface InstanceEdits {
  /** Throws `actor.no_state`, `state.*`, `value.*`. */
  setState(property: string, value: unknown): void;
  /** False when there is none. */
  removeState(property: string): boolean;
  /** False when there is no such schedule, or it runs already. */
  cancelSchedule(id: string): boolean;
  /** Runs a scheduled call now instead of when it is due: the id that it has now; nothing when there is none. */
  fireSchedule(id: string): string | undefined;
  /** Rejects with `sql.*`. */
  sql(sql: string, params: BindParams): Promise<ExecuteResult>;
}
