/** Who is given up, and who isn't. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { ProcessWatch } from "../../src/carriers/isolate/process-watch.ts";

/** A watch over a process that answers, or doesn't, in a time that the test moves. */
class Watched {
  now = 0;
  answers: boolean;
  given: number | undefined;
  #timer: { readonly at: number; readonly task: () => void } | undefined;
  readonly watch: ProcessWatch;

  constructor(answers = true) {
    this.answers = answers;
    this.watch = new ProcessWatch({
      env: {
        clock: { now: () => 0, monotonic: () => this.now },
        timers: {
          set: (task, delayMs) => {
            this.#timer = { at: this.now + delayMs, task };
            return 1;
          },
          clear: () => {
            this.#timer = undefined;
          },
        },
      },
      ask: () => void (this.answers && queueMicrotask(() => this.watch.heard())),
      silent: (ms) => {
        this.given = ms;
      },
    });
  }

  /** Each timer rings in time. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    await Promise.resolve();
    for (let timer = this.#timer; timer !== undefined && timer.at <= end; timer = this.#timer) {
      this.#timer = undefined;
      this.now = Math.max(this.now, timer.at);
      timer.task();
      await Promise.resolve();
    }
    this.now = end;
  }

  /** Nothing rings meanwhile. */
  away(ms: number): void {
    this.now += ms;
  }
}

test("one that answers is never given up, one that stops answering is after its time", async () => {
  const it = new Watched();
  await it.pass(3_600_000);
  expect(it.given).toBe(undefined);
  it.answers = false;
  await it.pass(limits.isolateSilentMs);
  expect(it.given).toBe(undefined);
  await it.pass(2 * limits.isolateBeatMs);
  expect(it.given).toBeGreaterThan(limits.isolateSilentMs);
});

test("one that never said anything has the time of a start", async () => {
  const it = new Watched(false);
  await it.pass(limits.pluginOpenTimeoutMs);
  expect(it.given).toBe(undefined);
  await it.pass(2 * limits.isolateBeatMs);
  expect(it.given).toBeGreaterThan(limits.pluginOpenTimeoutMs);
});

test("a runtime that was away itself gives nobody up for that", async () => {
  const it = new Watched();
  await it.pass(10_000);
  it.away(600_000);
  await it.pass(limits.isolateBeatMs);
  expect(it.given).toBe(undefined);
});

test("after its stop it says nothing any more", async () => {
  const it = new Watched();
  await it.pass(0);
  it.answers = false;
  it.watch.stop();
  await it.pass(60_000);
  expect(it.given).toBe(undefined);
});
