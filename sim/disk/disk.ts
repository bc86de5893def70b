/**
 * SimDisk: what outlives the server.
 *
 * It behaves as some logs, one for each file, that are synced now and then: `written` is what a program reads, `synced` what a power cut leaves
 * for certain. A power cut keeps any prefix of a file's transactions between the two (a log is checked from its start: what
 * stands behind a torn transaction is not seen). A kill keeps all of them, in the system's memory; whoever opens the
 * disk next syncs them before it says anything, as the production store does with a log that is not empty.
 */
import { CREATED_ROW } from "../../packages/runtime/src/ports/storage.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";
import { Image, type Transaction } from "./image.ts";

/** The file of all actors that have none of their own. */
export const SHARD = "shard";

const AWAY_MS = 2_000;

/** A transaction that is written, and in which file: each is synced by itself. */
interface Unsynced {
  readonly file: string;
  readonly transaction: Transaction;
}

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
  #unsynced: Unsynced[] = [];
  #epoch = 0;
  /** What files of actors are made of, until their first batch is synced. Durable before the actor's row is written. */
  readonly #spares = new Set<string>();
  /** Own files that aren't where they belong: nobody finds them. */
  readonly #away = new Set<string>();

  constructor(world: World, observer: DiskObserver) {
    this.#world = world;
    this.#random = world.random.fork();
    this.#observer = observer;
  }

  /** What programs read. */
  get image(): Image {
    return this.#written;
  }

  /** Before the actor's row. */
  addSpare(actorId: string): void {
    this.#spares.add(actorId);
  }

  hasSpare(actorId: string): boolean {
    return this.#spares.has(actorId);
  }

  /** What a program finds of an actor's own file. */
  isThere(actorId: string): boolean {
    return this.#written.tables(actorId) !== undefined && !this.#away.has(actorId);
  }

  /**
   * While nobody has the disk open: somebody may move a file away that an actor was promised to be in, for a while, and
   * what was away is back.
   */
  moveFile(): void {
    this.bringBack();
    const { loseFile } = this.#world.options;
    if (loseFile === 0) return;
    const files = [...this.#written.actors.values()].filter(
      ({ record, tables }) => tables !== undefined && !this.#spares.has(record.id),
    );
    if (files.length === 0 || !this.#random.chance(loseFile)) return;
    this.#world.later(this.#random.around(AWAY_MS), () => this.bringBack());
    this.#away.add(this.#random.pick(files).record.id);
    this.#world.counters.add("an actor's own file was away");
  }

  /** Every file is where it belongs. */
  bringBack(): void {
    this.#away.clear();
  }

  write(transaction: Transaction, file = SHARD): void {
    this.#observer.writes(this.#written, transaction);
    this.#written.apply(transaction);
    this.#unsynced.push({ file, transaction });
    this.#observer.written(this.#written, transaction);
  }

  sync(file = SHARD): void {
    const transactions = this.#take(file);
    for (const transaction of transactions) this.#synced.apply(transaction);
    // A power cut keeps what was opened and not stored, and the spare with it.
    if (this.#synced.rows(file).has(CREATED_ROW)) this.#spares.delete(file);
    this.#observer.synced(this.#synced, transactions);
  }

  /** A process opens the disk: what the one before it wrote is synced first. Returns a number that is new each time. */
  open(): number {
    this.#syncAll();
    this.#written.dropOrphans();
    this.#synced.dropOrphans();
    for (const id of this.#spares) if (!this.#written.actors.has(id)) this.#spares.delete(id);
    this.#observer.opened(this.#written);
    this.#epoch += 1;
    return this.#epoch;
  }

  /** The process died; with `power` the machine did, and of each file a prefix of what wasn't synced is left. */
  crash(power: "kept" | "cut"): void {
    if (power === "cut") this.#cutPower();
    else if (this.#unsynced.length > 0) this.#world.counters.add("kill kept unsynced transactions");
    this.#observer.crashed(this.#written);
  }

  #cutPower(): void {
    const { counters } = this.#world;
    const survivors: Transaction[] = [];
    for (const file of this.#files()) {
      const unsynced = this.#take(file);
      const kept = this.#random.below(unsynced.length + 1);
      if (kept < unsynced.length) counters.add("power cut lost written transactions");
      if (kept > 0) counters.add("power cut kept a part of them");
      survivors.push(...unsynced.slice(0, kept));
    }
    for (const transaction of survivors) this.#synced.apply(transaction);
    this.#written = this.#synced.clone();
    this.#observer.synced(this.#synced, survivors);
  }

  #syncAll(): void {
    for (const file of this.#files()) this.sync(file);
  }

  /** Those with something that isn't synced; the shard first, where actors are made. */
  #files(): string[] {
    return [...new Set([SHARD, ...this.#unsynced.map(({ file }) => file)])];
  }

  #take(file: string): Transaction[] {
    const taken = this.#unsynced.filter((unsynced) => unsynced.file === file);
    this.#unsynced = this.#unsynced.filter((unsynced) => unsynced.file !== file);
    return taken.map(({ transaction }) => transaction);
  }
}
