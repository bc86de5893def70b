/**
 * One file as the model sees it: what the disk surely holds, what the page cache holds, and the changes in between.
 *
 * `pending` are the changes that the next successful sync makes durable. `doomed` are those that a failed sync covered:
 * Linux marks the pages clean, so they stay readable until the cut and no later sync writes them.
 */
import { Contents } from "./contents.ts";
import type { Random } from "./random.ts";

export interface Change {
  readonly sequence: number;
  /** The new size when there is no `data`, else where the data goes. */
  readonly at: number;
  readonly data?: Uint8Array;
}

const SECTOR = 512;

export class DiskFile {
  readonly kind = "file";
  /** Written through mmap: nothing is known of its contents. */
  mapped = false;
  readonly #durable: Contents;
  readonly #cached: Contents;
  #pending: Change[] = [];
  readonly #doomed: Change[] = [];

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#durable = new Contents(bytes);
    this.#cached = new Contents(bytes);
  }

  change(change: Change): void {
    apply(this.#cached, change);
    this.#pending.push(change);
  }

  /** A sync that began when `sequence` was the newest change has ended. */
  synced(sequence: number, ok: boolean): void {
    const covered = this.#pending.filter((change) => change.sequence <= sequence);
    this.#pending = this.#pending.filter((change) => change.sequence > sequence);
    if (!ok) this.#doomed.push(...covered);
    else for (const change of covered) apply(this.#durable, change);
  }

  get unsynced(): number {
    return this.#pending.length + this.#doomed.length;
  }

  /** The page cache: what any process reads before the power goes. */
  cached(): Buffer {
    return this.#cached.bytes();
  }

  /** The least that a disk holds after a power cut. */
  cut(): Buffer {
    return this.#durable.bytes();
  }

  /** One of the states between `cut` and `cached`. */
  torn(random: Random): Buffer {
    const changes = [...this.#doomed, ...this.#pending].sort((a, b) => a.sequence - b.sequence);
    const shape = random.next();
    if (shape < 0.15) return this.cut();
    const contents = this.#durable.copy();
    if (shape < 0.3) for (const change of changes) apply(contents, change);
    else if (shape < 0.65) applyPrefix(contents, changes, random);
    else applySectors(contents, changes, random);
    return contents.bytes();
  }
}

function apply(contents: Contents, { at, data }: Change): void {
  if (data === undefined) contents.truncate(at);
  else contents.write(at, data);
}

/** The first changes whole, and of the next one its first sectors: a log that was written from its start. */
function applyPrefix(contents: Contents, changes: readonly Change[], random: Random): void {
  const whole = random.between(0, changes.length);
  for (const change of changes.slice(0, whole)) apply(contents, change);
  const next = changes[whole];
  if (next?.data === undefined) return;
  const sectors = random.between(0, Math.ceil(next.data.length / SECTOR));
  contents.write(next.at, next.data.subarray(0, Math.max(0, sectors * SECTOR - (next.at % SECTOR))));
}

/**
 * Each sector by itself at some moment of its history, as when the disk wrote pages in an order of its own. A sector
 * is never mixed: it holds its first j changes. A truncation orders what is before it and after it.
 */
function applySectors(contents: Contents, changes: readonly Change[], random: Random): void {
  const truncations = changes.filter((change) => change.data === undefined).length;
  let left = random.between(0, truncations);
  let epoch: Change[] = [];
  for (const change of changes) {
    if (change.data !== undefined) {
      epoch.push(change);
      continue;
    }
    if (left-- === 0) break;
    writeSectors(contents, epoch, random);
    apply(contents, change);
    epoch = [];
  }
  writeSectors(contents, epoch, random);
}

function writeSectors(contents: Contents, changes: readonly Change[], random: Random): void {
  const share = random.next();
  const stopped = new Set<number>();
  for (const { at, data } of changes) {
    if (data === undefined) continue;
    for (let from = 0; from < data.length; ) {
      const sector = Math.floor((at + from) / SECTOR);
      const to = Math.min(data.length, (sector + 1) * SECTOR - at);
      if (!stopped.has(sector) && random.next() < share) stopped.add(sector);
      if (!stopped.has(sector)) contents.write(at + from, data.subarray(from, to));
      from = to;
    }
  }
}
