/**
 * Room: how many actors may be awake, of all or of a kind.
 *
 * Past the limit, or when memory is short, the longest idle sleeps early, and the new activation waits for its place; past the wait it is
 * refused, and may be tried again.
 */
import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actorErrors } from "../errors.ts";

/** Places of one kind. */
export class Room {
  readonly #env: Pick<Env, "timers">;
  readonly #what: string;
  readonly #limit: number;
  readonly #makeRoom: () => boolean;
  readonly #memoryShort: () => boolean;
  /** In the order of their coming. */
  readonly #waiting = new Set<(got: boolean) => void>();
  #taken = 0;

  constructor(options: {
    env: Pick<Env, "timers">;
    /** Whose places they are, for who is refused. */
    what: string;
    limit: number;
    /** Puts the longest idle to sleep; false when nobody is idle. */
    makeRoom: () => boolean;
    memoryShort: () => boolean;
  }) {
    this.#env = options.env;
    this.#what = options.what;
    this.#limit = options.limit;
    this.#makeRoom = options.makeRoom;
    this.#memoryShort = options.memoryShort;
  }

  /** True when somebody waits for a place. */
  get crowded(): boolean {
    return this.#waiting.size > 0;
  }

  /** Takes a place when there is one. */
  tryEnter(): boolean {
    // The first one always gets in: with nobody awake there is nothing that could make room.
    if (this.#taken > 0 && (this.#taken >= this.#limit || this.#memoryShort())) return false;
    this.#taken += 1;
    return true;
  }

  /** Settles when the caller has a place; rejects with `actor.overloaded`. */
  async enter(): Promise<void> {
    if (this.tryEnter()) return;
    if (this.#waiting.size >= limits.waitingForWake) {
      throw actorErrors.overloaded("actors that wait to wake", limits.waitingForWake);
    }
    this.#makeRoom();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.add(resolve);
    const timer = this.#env.timers.set(() => resolve(false), limits.overloadWaitMs);
    const got = await promise;
    this.#env.timers.clear(timer);
    if (got) return;
    this.#waiting.delete(resolve);
    throw actorErrors.overloaded(this.#what, this.#limit);
  }

  /** Gives a place back; who waits longest gets it. */
  leave(): void {
    for (const resolve of this.#waiting) {
      this.#waiting.delete(resolve);
      resolve(true);
      return;
    }
    this.#taken -= 1;
  }
}
