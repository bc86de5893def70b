/**
 * FrameBudget: how many frames of one plugin are heard before everybody else has a turn. A plugin that says little never
 * meets it; one that floods waits for a later turn of the host's, and rests before it where others are served (`Rest`).
 *
 * What it was asked for isn't a flood. Answers to thirty calls that were made together are heard together: to hear them in two
 * turns would be two commits, and two wakes of the plugin. So each frame that it is given is room for a few more of its own, which
 * the host alone can make, and up to a limit.
 */
import { limits } from "@troupe/protocol";
import { Rest } from "./rest.ts";

/** One plugin's. */
export class FrameBudget {
  readonly #again: () => void;
  readonly #rest = new Rest();
  /** Its frames were too many for a turn, and it wasn't asked for as many since: its turns are timed. */
  #floods = false;
  #beganAt = 0;
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
    this.#rest.asked();
    // A turn that is over stays so.
    if (this.#left === 0) return;
    this.#left = Math.min(this.#left + limits.pluginFramesPerAsked, limits.pluginFramesPerTurnAsked);
    if (this.#left > limits.pluginFramesPerTurn) this.#floods = false;
  }

  /** What it said is heard from now on. */
  begin(): void {
    if (this.#floods) this.#beganAt = performance.now();
  }

  /** Whether another frame may be heard in this turn. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    if (this.#floods && performance.now() - this.#beganAt > limits.pluginFloodTurnMs) this.#left = 0;
    if (this.#left === 0) this.#rest.after(this.#floods ? performance.now() - this.#beganAt : 0, this.#renew);
    return true;
  }

  readonly #renew = (): void => {
    this.#left = limits.pluginFramesPerTurn;
    this.#floods = true;
    this.#again();
  };
}
