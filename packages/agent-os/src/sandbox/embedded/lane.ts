/**
 * Lane: whose operation of one kind may run next, on whatever worker.
 *
 * Nobody can be made to give back a worker, and what a command does can't be known before. So there are places for what is prompt, and
 * more for what has turned out to be long: an operation that has run for a while keeps its worker and gives its place to the next one. Of all
 * places nobody has more than are left free: the first one gets half, the next one half of the rest, and who comes with
 * little finds a place when one sandbox, or a few, have taken all that they get. Who has the least is next.
 */
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../../errors.ts";

/** How many operations run at once: prompt ones, and long ones beside them. */
export interface LanePlaces {
  readonly prompt: number;
  readonly long: number;
}

/** A place in a lane. It is given back once. */
export interface LanePlace {
  leave(): void;
}

interface Waiting {
  readonly who: string;
  readonly admitted: (place: LanePlace) => void;
}

/** A lane of all sandboxes of a driver. */
export class Lane {
  readonly #places: LanePlaces;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();
  /** How many places each has, if any. */
  readonly #held = new Map<string, number>();
  #taken = 0;
  #long = 0;

  constructor(places: LanePlaces) {
    this.#places = places;
  }

  /** `who`: whose share it is of. Rejects with `sandbox.busy` when too many wait, and with the signal's reason when that fires before there is a place. */
  async enter(who: string, signal?: AbortSignal): Promise<LanePlace> {
    signal?.throwIfAborted();
    if (this.#hasPlace(who)) return this.#admit(who);
    if (this.#waiting.size >= limits.sandboxQueue) throw sandboxErrors.busy(limits.sandboxQueue);
    const { promise, resolve, reject } = Promise.withResolvers<LanePlace>();
    const waiting = { who, admitted: resolve };
    const givenUp = () => {
      this.#waiting.delete(waiting);
      reject(signal?.reason);
    };
    this.#waiting.add(waiting);
    signal?.addEventListener("abort", givenUp, { once: true });
    return await promise.finally(() => signal?.removeEventListener("abort", givenUp));
  }

  #hasPlace(who: string): boolean {
    const { prompt, long } = this.#places;
    const free = prompt + long - this.#taken;
    return this.#taken - Math.min(this.#long, long) < prompt && this.#heldBy(who) < free;
  }

  #heldBy(who: string): number {
    return this.#held.get(who) ?? 0;
  }

  #admit(who: string): LanePlace {
    this.#taken += 1;
    this.#held.set(who, this.#heldBy(who) + 1);
    let isLong = false;
    const timer = setTimeout(() => {
      isLong = true;
      this.#long += 1;
      this.#next();
    }, limits.sandboxLongMs).unref();
    return {
      leave: () => {
        clearTimeout(timer);
        this.#taken -= 1;
        if (isLong) this.#long -= 1;
        const held = this.#heldBy(who) - 1;
        if (held > 0) this.#held.set(who, held);
        else this.#held.delete(who);
        this.#next();
      },
    };
  }

  #next(): void {
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      this.#waiting.delete(next);
      next.admitted(this.#admit(next.who));
    }
  }

  #first(): Waiting | undefined {
    let first: Waiting | undefined;
    for (const waiting of this.#waiting) {
      const isLess = first === undefined || this.#heldBy(waiting.who) < this.#heldBy(first.who);
      if (isLess && this.#hasPlace(waiting.who)) first = waiting;
      // Nobody has less than nothing.
      if (first !== undefined && this.#heldBy(first.who) === 0) break;
    }
    return first;
  }
}
