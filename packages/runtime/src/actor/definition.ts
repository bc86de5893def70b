/**
 * `actor({ … })`: makes a definition. It is frozen, all of it: nothing outside can exchange what runs.
 */
import type { AnyActorDefinition as ClientDefinition } from "@troupe/client";
import { configErrors } from "../errors.ts";
import { type ActorDescriptor, type Behaviour, parseDefinition } from "./behaviour.ts";
import type { ActorTypes, AnyTypes, Types } from "./types/bag.ts";
import type { ActorConfig, Connecting, CreatingVars } from "./types/config.ts";
import type { DatabaseAccess } from "./types/database.ts";
import type { EventArgs, EventDeclarations, EventPayload } from "./types/event.ts";
import type { KeptState } from "./types/kept-state.ts";
import type { MessageOf, QueueDeclarations, ReplyOf } from "./types/queue.ts";
import type { ActionInputSchemas, FittingSchemas } from "./types/standard-schema.ts";

/** A definition, for `setup({ use })`. `T` are its types, `A` its tree of actions, `P` what clients give as parameters. */
export interface ActorDefinition<T extends AnyTypes, A, P = T["connParams"]> {
  readonly descriptor: ActorDescriptor;
  readonly behaviour: Behaviour;
  /** For those who make definitions of others: what is begun before the first actor is there. */
  readonly prepare?: Prepare;
  /** Types only; never there at run time. */
  readonly "~types"?: {
    readonly actor: T;
    readonly actions: A;
    readonly events: EventTuples<T["events"]>;
    readonly queues: QueueContracts<T["queues"]>;
    readonly params: P;
    readonly input: T["input"];
  };
}

/** What a client knows of events: names to tuples of arguments. */
type EventTuples<E extends EventDeclarations> = { readonly [N in keyof E]: EventArgs<EventPayload<E[N]>> };

/** What a client knows of queues. */
type QueueContracts<Q extends QueueDeclarations> = {
  readonly [N in keyof Q]: { readonly message: MessageOf<Q[N]>; readonly reply: ReplyOf<Q[N]> };
};

/** Any definition. */
export interface AnyActorDefinition extends ClientDefinition {
  readonly descriptor: ActorDescriptor;
  readonly behaviour: Behaviour;
  readonly prepare?: Prepare;
}

/**
 * Begins to make ready what the actors of a definition share in one process; nobody waits for it. Called when a registry that has the
 * definition opens; what it returns is called once, behind the last actor's sleep.
 */
export type Prepare = () => () => Promise<void>;

/**
 * Defines an actor.
 *
 * ```ts
 * const counter = actor({
 *   state: { count: 0 },
 *   events: { changed: event<number>() },
 *   actions: {
 *     increment: (c, by: number) => {
 *       c.state.count += by;
 *       c.broadcast("changed", c.state.count);
 *       return c.state.count;
 *     },
 *   },
 * });
 * ```
 *
 * Throws `config.*` for anything that isn't a definition: an unknown key, a wrong type, both of a pair.
 */
export function actor<
  S = undefined,
  CP = undefined,
  CS = undefined,
  V = undefined,
  I = undefined,
  E extends EventDeclarations = Record<never, never>,
  A = Record<never, never>,
  N extends string = string,
  Q extends QueueDeclarations = Record<never, never>,
  D extends DatabaseAccess = never,
  P = CP,
  TV extends ActorTypes = CreatingVars<S, E, N, D>,
  TC extends ActorTypes = Connecting<S, V, E, N, D>,
  X extends ActionInputSchemas = Record<never, never>,
>(
  config: ActorConfig<S, CP, CS, V, I, E, A, N, Q, D, P, TV, TC> &
    KeptState<S> & {
      readonly actionInputSchemas?: X & FittingSchemas<NoInfer<X>, NoInfer<A>>;
    },
): ActorDefinition<Types<S, CP, CS, V, I, E, N, Q, D>, A, P> {
  const { descriptor, behaviour } = parseDefinition(readOnce(config));
  return Object.freeze({ descriptor, behaviour });
}

/** The config's own properties, each read once. Throws `config.invalid_option`. */
function readOnce(config: object): Readonly<Record<string, unknown>> {
  if (typeof config !== "object" || config === null)
    throw configErrors.invalidOption("actor", "called with an object: actor({ … })");
  const read: [key: string, value: unknown][] = [];
  for (const key of Object.keys(config)) {
    try {
      read.push([key, Reflect.get(config, key)]);
    } catch (cause) {
      throw configErrors.unreadableKey(key, cause);
    }
  }
  return Object.fromEntries(read);
}
