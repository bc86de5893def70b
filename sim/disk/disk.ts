/**
 * SimDisk: what outlives the server.
 *
 * It behaves as a log that is synced now and then: `written` is what a program reads, `synced` what a power cut leaves
 * for certain. A power cut keeps any prefix of the transactions between the two (a log is checked from its start: what
 * stands behind a torn transaction is not seen). A kill keeps all of them, in the system's memory; whoever opens the
 * disk next syncs them before it says anything, as the production store does with a log that is not empty.
 */
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";
import { Image, type Transaction } from "./image.ts";

/** Told of what the disk holds, for checkers. */
export interface DiskObserver {
  /** A process opens the disk, with what the one before it has left. */
  opened(image: Image): void;
  /** A transaction is about to be written. */
  writes(image: Image, transaction: Transaction): void;
  /** A transaction is written: from now on a crash may leave the disk like this. */
  written(image: Image, transaction: Transaction): void;
  /** These transactions are safe from now on. */
  synced(image: Image, transactions: readonly Transaction[]): void;
  /** The server died, and this is what is left. */
  crashed(image: Image): void;
}

/** The disk of the server's machine. */
export class SimDisk {
  readonly #world: World;
  readonly #random: Random;
  readonly #observer: DiskObserver;
  #written = new Image();
  readonly #synced = new Image();
  #unsynced: Transaction[] = [];
  #epoch = 0;

  constructor(world: World, observer: DiskObserver) {
    this.#world = world;
    this.#random = world.random.fork();
    this.#observer = observer;
  }

  /** What programs read. */
  get image(): Image {
    return this.#written;
  }

  write(transaction: Transaction): void {
    this.#observer.writes(this.#written, transaction);
    this.#written.apply(transaction);
    this.#unsynced.push(transaction);
    this.#observer.written(this.#written, transaction);
  }

  sync(): void {
    const transactions = this.#unsynced;
    this.#unsynced = [];
    for (const transaction of transactions) this.#synced.apply(transaction);
    this.#observer.synced(this.#synced, transactions);
  }

  /** A process opens the disk: what the one before it wrote is synced first. Returns a number that is new each time. */
  open(): number {
    this.sync();
    this.#observer.opened(this.#written);
    this.#epoch += 1;
    return this.#epoch;
  }

  /** The process died; with `power` the machine did, and a prefix of what wasn't synced is left. */
  crash(power: "kept" | "cut"): void {
    if (power === "cut") {
      const kept = this.#random.below(this.#unsynced.length + 1);
      if (kept < this.#unsynced.length) this.#world.counters.add("power cut lost written transactions");
      if (kept > 0) this.#world.counters.add("power cut kept a part of them");
      const survivors = this.#unsynced.slice(0, kept);
      for (const transaction of survivors) this.#synced.apply(transaction);
      this.#unsynced = [];
      this.#written = this.#synced.clone();
      this.#observer.synced(this.#synced, survivors);
    } else if (this.#unsynced.length > 0) this.#world.counters.add("kill kept unsynced transactions");
    this.#observer.crashed(this.#written);
  }
}
