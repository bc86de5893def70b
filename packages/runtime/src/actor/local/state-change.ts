import { actorErrors } from "../../errors.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import { LocalContext } from "./context.ts";
import { asHook } from "./hook-scope.ts";
import type { StateTree } from "./state-tree.ts";

/**
 * Calls `onStateChange` once after a turn that wrote. What it sends waits for those writes. A hook that writes itself gets
 * `actor.state_mutation_reentrant`, so that it can't go on for ever.
 */
export function stateChangeNotice(activation: Activation, state: StateTree, hook: Hook): () => void {
  let phase: "quiet" | "queued" | "telling" = "quiet";
  const tell = (): void => {
    phase = "telling";
    try {
      const told = (): unknown => hook(new LocalContext(activation), state.proxy);
      activation.enter(() => asHook(activation, "onStateChange", told));
    } catch (cause) {
      activation.log.error("onStateChange failed", { cause });
    } finally {
      phase = "quiet";
    }
  };
  return () => {
    if (phase === "telling") throw actorErrors.stateMutationReentrant();
    // Behind the release the write is refused.
    if (phase === "queued" || activation.phase.tag === "stopped") return;
    phase = "queued";
    activation.env.afterTurn(tell);
  };
}
