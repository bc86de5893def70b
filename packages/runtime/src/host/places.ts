/**
 * Places: who may be awake, and who sleeps to make room.
 *
 * Each actor that is awake has a place. One with a database has another one beside it, of which there are fewer: its files
 * are open, and a process may have only so many. It waits for that one when it holds the first already, so that actors
 * without a database never wait for files.
 */
import { type Env, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { ActorStore } from "../ports/storage.ts";
import { IdleQueue } from "./idle-queue.ts";
import { Room } from "./room.ts";
import { asSlot, type Slot } from "./slot.ts";

/** What they are made of. */
export interface PlacesOptions {
  readonly env: Pick<Env, "afterTurn" | "clock" | "timers">;
  /** Awake actors at once; default `limits.awakeActors`. */
  readonly maxAwake?: number | undefined;
  /** Of those, with a database; no limit by default. */
  readonly maxDatabases?: number | undefined;
  /** True when memory is past its watermark; never by default. */
  readonly memoryShort?: (() => boolean) | undefined;
  /** Puts one to sleep that is idle. */
  readonly sleep: (slot: Slot) => void;
}

/** The places of one host. */
export class Places {
  readonly #options: PlacesOptions;
  readonly #idle: IdleQueue;
  readonly #all: Room;
  readonly #databases: Room;

  constructor(options: PlacesOptions) {
    this.#options = options;
    const { env, maxAwake = limits.awakeActors, maxDatabases = Number.POSITIVE_INFINITY } = options;
    this.#idle = new IdleQueue(env, (node) => options.sleep(asSlot(node)));
    this.#all = new Room({
      env,
      what: "awake actors",
      limit: maxAwake,
      makeRoom: () => this.#sleepLongestIdle("any"),
      memoryShort: options.memoryShort ?? (() => false),
    });
    this.#databases = new Room({
      env,
      what: "awake actors with a database",
      limit: maxDatabases,
      makeRoom: () => this.#sleepLongestIdle("database"),
      memoryShort: () => false,
    });
  }

  /** Takes a place, at once where there is one. Rejects with `actor.overloaded`. */
  enter(): Promise<void> | undefined {
    return this.#all.tryEnter() ? undefined : this.#all.enter();
  }

  /** Gives it back. */
  leave(): void {
    this.#all.leave();
  }

  /** Opens an actor's store, in the place that its files need. Rejects with `actor.overloaded`, or what `open` rejects with. */
  async openStore(slot: Slot, open: () => Promise<ActorStore>): Promise<ActorStore> {
    if (!slot.hasDatabase) return await open();
    if (!this.#databases.tryEnter()) await this.#databases.enter();
    try {
      return await open();
    } catch (cause) {
      this.closed(slot, cause);
      throw cause;
    }
  }

  /** A store is closed that was opened here. `cause`: why its actor didn't start. */
  closed({ hasDatabase }: Slot, cause?: unknown): void {
    if (!hasDatabase) return;
    this.#databases.leave();
    // Others than actors may have taken the descriptors: whoever tries again finds some.
    if (isOutOfFiles(cause)) this.#sleepLongestIdle("database");
  }

  /** It has nothing to do, and sleeps when that goes on, or when somebody waits. */
  idle(slot: Slot, sleepTimeoutMs: number): void {
    this.#idle.add(slot, sleepTimeoutMs);
    if (!this.#isWanted(slot)) return;
    // In a turn of the host's own: this one is the actor's, or of somebody who is about to call it.
    this.#options.env.afterTurn(() => {
      if (this.#all.crowded) this.#sleepLongestIdle("any");
      if (this.#databases.crowded) this.#sleepLongestIdle("database");
    });
  }

  /** It has something to do, or ends. */
  busy(slot: Slot): void {
    this.#idle.remove(slot);
  }

  /** Nobody sleeps any more because of the time. */
  close(): void {
    this.#idle.close();
  }

  #isWanted({ hasDatabase }: Slot): boolean {
    return this.#all.crowded || (hasDatabase && this.#databases.crowded);
  }

  #sleepLongestIdle(which: "any" | "database"): boolean {
    const node = this.#idle.longestIdle(which);
    if (node === undefined) return false;
    this.#options.sleep(asSlot(node));
    return true;
  }
}

function isOutOfFiles(cause: unknown): boolean {
  return TroupeError.is(cause) && cause.group === "storage" && cause.code === "too_many_open_files";
}
