import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { Registry } from "../contract.ts";
import type { ActorConn, ActorHandle } from "../types.ts";
import {
  type ActorNameOf,
  type ActorOptions,
  type AnyActorOptions,
  type SettledOptions,
  settledOptions,
  textOf,
} from "./options.ts";
import { IDLE_ACTOR } from "./shared-actor.ts";
import type { SharedActors } from "./shared-actors.ts";
import type { ActorOf, UseActorState, UseEvent } from "./types.ts";
import { useConnectionEvent } from "./use-event.ts";

const idle = () => IDLE_ACTOR;

/** `useActor` over the actors of one client. */
export function useSharedActor<R extends Registry, N extends ActorNameOf<R>>(
  actors: SharedActors,
  given: ActorOptions<R, N>,
  hashFunction: (options: AnyActorOptions) => string,
): UseActorState<R, N> {
  const opts = useSettled(given);
  const hash = useMemo(() => hashFunction(opts), [hashFunction, opts]);
  const subscribe = useCallback(
    (changed: () => void) => (opts.enabled ? actors.hold(hash, opts, changed) : () => {}),
    [actors, hash, opts],
  );
  const current = useCallback(
    () => (opts.enabled ? actors.snapshot(hash) : IDLE_ACTOR),
    [actors, hash, opts],
  );
  const snapshot = useSyncExternalStore(subscribe, current, idle);
  return useMemo(() => {
    const { connStatus, error } = snapshot;
    // The options name the actor, so what was opened by them is that actor's.
    const handle = snapshot.handle as ActorHandle<ActorOf<R, N>> | null;
    const connection = snapshot.connection as ActorConn<ActorOf<R, N>> | null;
    const useEvent = useConnectionEvent.bind(null, snapshot.connection) as UseEvent<ActorOf<R, N>>;
    return {
      ...{ handle, connection, connStatus, error, hash, opts, useEvent },
      isConnected: connStatus === "connected",
    };
  }, [snapshot, hash, opts]);
}

/** The same object for as long as the options say the same. */
function useSettled<R extends Registry, N extends ActorNameOf<R>>(
  given: ActorOptions<R, N>,
): SettledOptions<ActorOptions<R, N>> {
  const text = textOf(given);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text says all that the options say.
  return useMemo(() => settledOptions(given), [text]);
}
