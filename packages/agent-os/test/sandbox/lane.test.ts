/** Whose operation is next where there are fewer places than who want one. */
import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { Lane, type LanePlace } from "../../src/sandbox/embedded/lane.ts";

/** A lane, and who was let into it, in order. */
class Door {
  readonly entered: string[] = [];
  readonly #lane: Lane;
  readonly #places = new Map<string, LanePlace[]>();

  constructor(prompt: number, long: number) {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    this.#lane = new Lane({ prompt, long });
  }

  async come(who: string, times = 1): Promise<void> {
    for (let n = 0; n < times; n += 1)
      void this.#lane.enter(who).then((place) => {
        this.entered.push(who);
        this.#places.set(who, [...(this.#places.get(who) ?? []), place]);
      });
    await settled();
  }

  async leave(who: string): Promise<void> {
    this.#places.get(who)?.shift()?.leave();
    await settled();
  }

  /** All that run now are long then. */
  async wait(): Promise<void> {
    vi.advanceTimersByTime(limits.sandboxLongMs);
    await settled();
  }
}

const settled = () => new Promise((resolve) => void setImmediate(resolve));

test("who has the least is next, whoever came first", async () => {
  const door = new Door(4, 0);
  await door.come("a", 4);
  await door.come("b");
  await door.come("c");
  await door.come("d");
  // Half of the four, and the others one each.
  expect(door.entered).toEqual(["a", "a", "b", "c"]);
  await door.leave("a");
  expect(door.entered.slice(4)).toEqual(["d"]);
  await door.leave("b");
  expect(door.entered.slice(4)).toEqual(["d"]);
  await door.leave("c");
  expect(door.entered.slice(4)).toEqual(["d", "a"]);
});

test("what takes long makes room, for as many as may, and nobody has more than are left for others", async () => {
  const door = new Door(2, 8);
  await door.come("a", 20);
  expect(door.entered).toHaveLength(2);
  await door.wait();
  expect(door.entered).toHaveLength(4);
  await door.wait();
  // Five of ten.
  expect(door.entered).toHaveLength(5);
  await door.wait();
  for (const who of ["b", "c", "d"]) {
    await door.come(who);
    expect(door.entered.at(-1)).toBe(who);
    await door.leave(who);
  }
  expect(door.entered).toHaveLength(8);
});

test("who has waited for nothing leaves no gap; a lane that is full says so", async () => {
  const lane = new Lane({ prompt: 2, long: 0 });
  const first = await lane.enter("a");
  const second = await lane.enter("b");
  const abort = new AbortController();
  const given = lane.enter("c", abort.signal);
  abort.abort(new Error("not any more"));
  await expect(given).rejects.toThrow("not any more");
  await expect(lane.enter("c", abort.signal)).rejects.toThrow("not any more");
  const crowd = Array.from({ length: limits.sandboxQueue }, (_, n) => lane.enter(`${n}`));
  await expect(lane.enter("late")).rejects.toMatchObject({ code: "busy", retryable: true });
  first.leave();
  (await crowd[0])?.leave();
  second.leave();
  for (const waiting of crowd.slice(1)) (await waiting).leave();
  (await lane.enter("late")).leave();
});
