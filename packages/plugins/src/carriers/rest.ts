/**
 * Rest: what a plugin that has more to say waits before its next turn, while the host has other plugins to serve.
 *
 * A turn that ends isn't enough for a neighbour. A call takes a few turns of the host's loop, and with a flood's turn
 * between each two it pays for all of them, and for the flood's own thread, which has the processor that the
 * neighbour's is woken for: the kernel lets it finish, whatever its priority. So whoever floods rests in proportion to
 * the time that its turn took of the host's thread, and most calls of a neighbour meet none of its turns. Its answers
 * wait behind what it says, so that it is asked less often too, and its own process has less to do. Where no other
 * plugin was given anything since its turn before, nobody gains by a rest, and there is none.
 *
 * The loop sleeps while one rests: to look for the end of it in each turn is to take a processor from the neighbour's process. So
 * a rest is a timer's, in whole milliseconds.
 */
import { limits } from "@troupe/protocol";

/** Frames that this thread's plugins were given, all together: they share its time, whichever runtime they are of. */
const given = { frames: 0 };

/** One plugin's. */
export class Rest {
  #own = 0;
  #others = 0;

  /** The plugin was given a frame. */
  asked(): void {
    this.#own += 1;
    given.frames += 1;
  }

  /** Its turn is over, and took so long of this thread. `next` is called once, in a later turn of the loop: with 0 in the next one. */
  after(workMs: number, next: () => void): void {
    const others = given.frames - this.#own;
    const isAlone = others === this.#others;
    this.#others = others;
    if (isAlone || workMs === 0) setImmediate(next);
    else setTimeout(next, restMs(workMs));
  }
}

/** How long a plugin rests after a turn of so long. A timer may ring a millisecond early: there is one more, up to the limit. */
export function restMs(workMs: number): number {
  return Math.min(Math.ceil(workMs * limits.pluginRestTimes) + 1, limits.pluginRestMs);
}
