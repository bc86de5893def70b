/**
 * Rest: what a plugin that has more to say waits before its next turn, while the host has other plugins to serve.
 *
 * A turn that ends isn't enough for a neighbour. A call takes a few turns of the host's loop, and with a flood's turn
 * between each two it pays for all of them, and for the flood's own thread, which has the processor that the
 * neighbour's is woken for: the kernel lets it finish, whatever its priority. So whoever floods rests in proportion to
 * the time that its turn took of the host's thread, and most calls of a neighbour meet none of its turns. Where no other
 * plugin was given anything since its turn before, nobody gains by a rest, and there is none.
 */
import { limits } from "@troupe/protocol";

/** Frames that this thread's plugins were given, all together: they share its time, whichever runtime they are of. */
const given = { frames: 0 };

/** One plugin's. */
export class Rest {
  #own = 0;
  #others = 0;
  #until = 0;
  #next = (): void => {};

  /** The plugin was given a frame. */
  asked(): void {
    this.#own += 1;
    given.frames += 1;
  }

  /** Its turn is over, and took so long of this thread. `next` is called once, in a later turn of the loop. */
  after(workMs: number, next: () => void): void {
    const others = given.frames - this.#own;
    const isAlone = others === this.#others;
    this.#others = others;
    this.#until = isAlone ? 0 : performance.now() + restMs(workMs);
    this.#next = next;
    setImmediate(this.#look);
  }

  // Timers are too coarse, and the loop has others to serve: it looks in each of its turns.
  readonly #look = (): void => {
    if (this.#until > 0 && performance.now() < this.#until) setImmediate(this.#look);
    else this.#next();
  };
}

/** How long a plugin rests after a turn of so long. */
export function restMs(workMs: number): number {
  return Math.min(workMs * limits.pluginRestTimes, limits.pluginRestMs);
}
