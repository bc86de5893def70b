/** Who is given up, and who isn't. */
import { expect, test } from "vitest";
import { SilenceWatch } from "../../src/carriers/silence-watch.ts";

const terms = { beatMs: 1_000, notedMs: 3_000, mostMs: 5_000, startMs: 15_000 };

/** A watch over a process that answers, or doesn't, in a time that the test moves. */
class Watched {
  now = 0;
  answers: boolean;
  given: number | undefined;
  readonly noted: number[] = [];
  #timer: { readonly at: number; readonly task: () => void } | undefined;
  readonly watch: SilenceWatch;

  constructor(answers = true) {
    this.answers = answers;
    this.watch = new SilenceWatch({
      terms,
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
      noted: (ms) => this.noted.push(ms),
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
  await it.pass(terms.mostMs);
  expect(it.given).toBe(undefined);
  await it.pass(2 * terms.beatMs);
  expect(it.given).toBeGreaterThan(terms.mostMs);
});

test("one that never said anything has the time of a start", async () => {
  const it = new Watched(false);
  await it.pass(terms.startMs);
  expect(it.given).toBe(undefined);
  await it.pass(2 * terms.beatMs);
  expect(it.given).toBeGreaterThan(terms.startMs);
});

test("a runtime that was away itself gives nobody up for that", async () => {
  const it = new Watched();
  await it.pass(10_000);
  it.away(600_000);
  await it.pass(terms.beatMs);
  expect(it.given).toBe(undefined);
});

test("one that says nothing for a while is noted, once until it says something", async () => {
  const it = new Watched();
  await it.pass(3_600_000);
  expect(it.noted).toEqual([]);
  for (let silences = 1; silences <= 2; silences += 1) {
    it.answers = false;
    await it.pass(terms.notedMs + terms.beatMs);
    expect(it.noted).toHaveLength(silences);
    it.answers = true;
    await it.pass(10 * terms.beatMs);
  }
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
