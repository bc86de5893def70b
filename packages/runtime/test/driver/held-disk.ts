/** Holds syncs open until the test settles them, in the order it wants. */
import type { MemoryDisk } from "../../src/ports/memory/disk.ts";

export class HeldDisk {
  readonly #disk: MemoryDisk;
  readonly #open: ((error?: unknown) => void)[] = [];

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  /** From now on no sync ends by itself. */
  hold(): void {
    this.#disk.faults.sync = (finish) => void this.#open.push(finish);
  }

  /** Syncs that wait for the test. */
  get waiting(): number {
    return this.#open.length;
  }

  /** The oldest sync ends, well or not. */
  finish(error?: unknown): void {
    const finish = this.#open.shift();
    if (finish === undefined) throw new Error("no sync waits");
    finish(error);
  }

  /** Syncs end by themselves again, those that wait now as well. */
  letGo(): void {
    delete this.#disk.faults.sync;
    for (const finish of this.#open.splice(0)) finish();
  }

  /** The next `count` transactions fail. */
  failWrites(count: number, error: unknown = new Error("disk full")): void {
    let left = count;
    this.#disk.faults.beforeWrite = () => {
      left -= 1;
      if (left < 0) delete this.#disk.faults.beforeWrite;
      else throw error;
    };
  }
}
