/**
 * The hooks of one client.
 */
import type { Timers } from "@troupe/base";
import type { ClientConfig } from "../config.ts";
import type { AnyActorDefinition, EventArgsOf, EventNameOf, Registry } from "../contract.ts";
import { createClient } from "../create-client.ts";
import { platformEnv } from "../platform.ts";
import type { Client, ClientRaw } from "../types.ts";
import { type ActorNameOf, type ActorOptions, type AnyActorOptions, hashOf } from "./options.ts";
import { SharedActors } from "./shared-actors.ts";
import type { ShownActor, UseAction, UseActorState } from "./types.ts";
import { useSharedAction } from "./use-action.ts";
import { useSharedActor } from "./use-actor.ts";
import { type Handler, useConnectionEvent } from "./use-event.ts";

/** What `createRivetKit` takes beside the client's configuration. */
export interface CreateRivetKitOptions {
  /** Equal for options that share one connection. Default: name, key, params and `noCreate`. Must be pure. */
  readonly hashFunction?: (options: AnyActorOptions) => string;
}

/** The hooks of one client; two of them share no connection. */
export interface RivetKit<R extends Registry> {
  /** Connects to an actor while the component is mounted, and shows how that goes. */
  readonly useActor: <N extends ActorNameOf<R>>(options: ActorOptions<R, N>) => UseActorState<R, N>;
  /** Calls an action of what `useActor` gave, and shows what becomes of it. */
  readonly useAction: UseAction;
  /** `actor.useEvent` for whoever was handed the actor. */
  readonly useEvent: <AD extends AnyActorDefinition, N extends EventNameOf<AD>>(
    actor: ShownActor<AD>,
    name: N,
    handler: (...args: EventArgsOf<AD, N>) => void,
  ) => void;
}

/**
 * Makes the hooks, and a client for them. Opens nothing by itself: the first component that mounts does.
 *
 * ```tsx
 * const { useActor } = createRivetKit<typeof registry>("http://127.0.0.1:6420");
 *
 * function Counter() {
 *   const counter = useActor({ name: "counter", key: ["a"] });
 *   const [count, setCount] = useState(0);
 *   counter.useEvent("changed", setCount);
 *   return <button onClick={() => counter.connection?.increment(1)}>{count}</button>;
 * }
 * ```
 */
export function createRivetKit<R extends Registry = Registry>(
  config?: string | ClientConfig,
  options: CreateRivetKitOptions = {},
): RivetKit<R> {
  const env = (typeof config === "object" ? config.env : undefined) ?? platformEnv();
  return hooksOf<R>(createClient<R>(config), env.timers, options);
}

/** The hooks over a client that is there already, and that the caller disposes of. */
export function createRivetKitWithClient<R extends Registry = Registry>(
  client: Client<R>,
  options: CreateRivetKitOptions = {},
): RivetKit<R> {
  return hooksOf<R>(client, platformEnv().timers, options);
}

function hooksOf<R extends Registry>(
  client: ClientRaw,
  timers: Timers,
  { hashFunction = hashOf }: CreateRivetKitOptions,
): RivetKit<R> {
  const actors = new SharedActors(client, timers);
  return {
    useActor: (options) => useSharedActor(actors, options, hashFunction),
    useAction: (actor, name) => useSharedAction(actors, actor, name),
    useEvent: (actor, name, handler) => useConnectionEvent(actor.connection, name, handler as Handler),
  };
}
