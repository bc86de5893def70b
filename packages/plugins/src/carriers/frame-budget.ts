/**
 * FrameBudget: how many frames of one plugin are heard before everybody else has a turn. A plugin that says little never
 * meets it; one that floods waits for the host's next turn, and for nobody's leave.
 *
 * What it was asked for isn't a flood. Answers to thirty calls that were made together are heard together: to hear them in two
 * turns would be two commits, and two wakes of the plugin. So each frame that it is given is room for a few more of its own, which
 * the host alone can make, and up to a limit.
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

  /** Nothing more is heard in this turn. */
  get spent(): boolean {
    return this.#left === 0;
  }

  /** The plugin was given a frame, and will have something to say. */
  asked(): void {
    // A turn that is over stays so.
    if (this.#left === 0) return;
    this.#left = Math.min(this.#left + limits.pluginFramesPerAsked, limits.pluginFramesPerTurnAsked);
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
