/**
 * FrameBudget: how many frames of one plugin are heard before everybody else has a turn. A plugin that says little never
 * meets it; one that floods waits for the host's next turn, and for nobody's leave.
 */
import { limits } from "@troupe/protocol";

/** One plugin's. */
export class FrameBudget {
  readonly #again: () => void;
  #left: number = limits.pluginFramesPerTurn;

  /** `again` is called in a later turn, when all was spent. */
  constructor(again: () => void) {
    this.#again = again;
  }

  /** Whether another frame may be heard in this turn. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    if (this.#left === 0) setImmediate(this.#renew);
    return true;
  }

  readonly #renew = (): void => {
    this.#left = limits.pluginFramesPerTurn;
    this.#again();
  };
}
