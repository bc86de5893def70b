/** How many results are kept, and which are forgotten. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { keepable } from "../../src/idempotency/kept-result.ts";
import { KeptResults } from "../../src/idempotency/kept-results.ts";
import type { Row, RowChange, RowRange } from "../../src/ports/storage.ts";
import { isInRange } from "../../src/storage/row-map.ts";

/** A store that takes a batch after each result. */
class Kept {
  readonly rows = new Map<string, Uint8Array>();
  now = 0;
  results = this.open();

  open(): KeptResults {
    return new KeptResults({
      stored: {
        read: (keys) => keys.map((key) => this.rows.get(key)),
        list: (range) => this.#list(range),
      },
      wrote: () => {},
      now: () => this.now,
    });
  }

  keep(id: string, value: unknown): void {
    void this.results.find(id);
    this.results.keep(id, { args: new Uint8Array(1), ...keepable({ ok: true, value }) });
    void this.results.sweep();
    const changes: RowChange[] = [];
    this.results.take(changes);
    for (const { key, value } of changes) {
      if (value === null) this.rows.delete(key);
      else this.rows.set(key, value);
    }
  }

  has(id: string): boolean {
    return this.results.find(id) !== undefined;
  }

  #list(range: RowRange): Row[] {
    const keys = [...this.rows.keys()].filter((key) => isInRange(key, range)).sort();
    return keys.slice(0, range.limit).map((key) => ({ key, value: this.rows.get(key) ?? new Uint8Array() }));
  }
}

test("past the most that are kept, the oldest is forgotten for each new one", () => {
  const kept = new Kept();
  for (let n = 0; n < limits.idempotencyKeys; n += 1) kept.keep(`k${n}`, n);
  expect(kept.has("k0")).toBe(true);
  for (let n = 0; n < 3; n += 1) kept.keep(`more${n}`, n);
  expect(["k0", "k1", "k2", "k3", "more2"].map((id) => kept.has(id))).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
  // A result and its place for each, and one row of totals.
  expect(kept.rows.size).toBe(2 * limits.idempotencyKeys + 1);
});

test("past the bytes that are kept, as many of the oldest as it takes, a few for each new one", () => {
  const kept = new Kept();
  const large = "x".repeat(limits.idempotencyResultBytes - 64);
  const most = Math.floor(limits.idempotencyBytes / limits.idempotencyResultBytes);
  for (let n = 0; n <= most + 2; n += 1) kept.keep(`k${n}`, large);
  const bytes = [...kept.rows.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(bytes).toBeLessThanOrEqual(limits.idempotencyBytes);
  expect([kept.has("k0"), kept.has(`k${most + 2}`)]).toEqual([false, true]);
});

test("those past their time go a few at a time, and the counts are right after each wake", () => {
  const kept = new Kept();
  const many = limits.idempotencySweep + 5;
  for (let n = 0; n < many; n += 1) kept.keep(`k${n}`, n);
  kept.now = limits.idempotencyKeptMs;
  kept.results = kept.open();
  kept.keep("new", 1);
  expect(kept.rows.size).toBe(2 * (5 + 1) + 1);
  kept.keep("newer", 1);
  expect(kept.rows.size).toBe(2 * 2 + 1);
  expect([kept.has("k0"), kept.has("new"), kept.has("newer")]).toEqual([false, true, true]);
});

test("one past its time that is called again is replaced, and counted once", () => {
  const kept = new Kept();
  kept.keep("k", 1);
  kept.now = limits.idempotencyKeptMs;
  expect(kept.has("k")).toBe(false);
  kept.keep("k", 2);
  expect(kept.rows.size).toBe(3);
});
