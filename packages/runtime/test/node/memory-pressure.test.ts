import { expect, test } from "vitest";
import { MemoryPressure } from "../../src/node/memory-pressure.ts";

const LIMIT = 1_000;

/** A heap that is as full as the test says, and counts who looks. */
function heap() {
  const state = { used: 0, looks: 0 };
  const pressure = new MemoryPressure(() => {
    state.looks += 1;
    return { used_heap_size: state.used, heap_size_limit: LIMIT };
  });
  return { state, pressure };
}

test("memory is short past 85 % of the heap's limit, not at it", () => {
  const { state, pressure } = heap();
  const short = [849, 850, 851, 1_000, 850, 0].map((used, index) => {
    state.used = used;
    return pressure.short(index * 500);
  });
  expect(short).toEqual([false, false, true, true, false, false]);
});

test("the heap is looked at once in 500 ms, and the answer holds until then, either way", () => {
  const { state, pressure } = heap();
  // A monotonic clock may start anywhere: the first look doesn't wait.
  expect([pressure.short(-1_000), state.looks]).toEqual([false, 1]);
  state.used = 900;
  expect([pressure.short(-1_000), pressure.short(-501), state.looks]).toEqual([false, false, 1]);
  expect([pressure.short(-500), state.looks]).toEqual([true, 2]);
  state.used = 0;
  expect([pressure.short(-1), state.looks]).toEqual([true, 2]);
  expect([pressure.short(0), state.looks]).toEqual([false, 3]);
});

test("by itself it looks at this process's heap, which is not short", () => {
  expect(new MemoryPressure().short(0)).toBe(false);
});
