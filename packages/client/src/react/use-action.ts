import { useMemo, useSyncExternalStore } from "react";
import type { AnyActorDefinition } from "../contract.ts";
import { ActionRuns, NO_RUN } from "./action-runs.ts";
import type { SharedActors } from "./shared-actors.ts";
import type { ActionNameOf, ShownActor, UseActionState } from "./types.ts";

/** `useAction` over the actors of one client. */
export function useSharedAction<AD extends AnyActorDefinition, Name extends ActionNameOf<AD>>(
  actors: SharedActors,
  actor: ShownActor<AD>,
  name: Name,
): UseActionState<AD, Name> {
  const { hash, opts } = actor;
  const runs = useMemo(
    () =>
      new ActionRuns<UseActionState<AD, Name>["data"]>((call) => actors.call(hash, opts, { name, ...call })),
    [actors, hash, opts, name],
  );
  const { pending, data, error } = useSyncExternalStore(runs.subscribe, runs.state, () => NO_RUN);
  return useMemo(
    () => ({ pending, data, error, run: runs.start, abort: runs.abort }),
    [pending, data, error, runs],
  );
}
