/** A StateTree of its own, with batches taken by hand and rows kept as storage would. */
import { readChunked } from "../../src/actor/local/state-chunks.ts";
import { StateTree } from "../../src/actor/local/state-tree.ts";
import type { RowChange } from "../../src/ports/storage.ts";
import { World } from "../driver/world.ts";

export class TreeStory<S extends object> {
  readonly rows = new Map<string, Uint8Array>();
  readonly world = new World();
  readonly tree: StateTree;
  writes = 0;
  #ends: (() => void)[] | undefined;

  constructor(first: S | undefined, rows?: ReadonlyMap<string, Uint8Array>) {
    const owner = {
      wrote: () => void this.writes++,
      log: this.world.log,
      borrower: () => this.#ends && { atEnd: (end: () => void) => void this.#ends?.push(end) },
    };
    if (first === undefined) {
      for (const [key, value] of rows ?? []) this.rows.set(key, value);
      const all = Array.from(this.rows, ([key, value]) => ({ key, value }));
      const chunked = readChunked(all, { read: (keys) => keys.map((key) => this.rows.get(key)) });
      if (chunked instanceof Promise) throw new Error("rows are at hand here");
      this.tree = StateTree.load(owner, all, chunked);
    } else {
      this.tree = StateTree.create(owner, first);
      this.commit();
    }
  }

  /** `c.state`. */
  get state(): S {
    return this.tree.proxy as S;
  }

  /** What was assigned before is held no longer; what is from now on is, until the next one. */
  nextCall(): void {
    for (const end of this.#ends ?? []) end();
    this.#ends = [];
  }

  /** Takes a batch and stores it. Gives the properties in it. */
  commit(): string[] {
    const changes: RowChange[] = [];
    this.tree.take(changes);
    for (const { key, value } of changes) {
      if (value === null) this.rows.delete(key);
      else this.rows.set(key, value);
    }
    return changes.map((change) => change.key.replace("s:", "")).sort();
  }

  /** What the next activation finds. */
  reloaded(): unknown {
    return new TreeStory<S>(undefined, this.rows).tree.snapshot();
  }
}
