import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BusyPoll } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { nodeBusyPoll } from "../../src/node/busy-poll.ts";
import { cellsOf, type DiskWorkerData, diskCells, MEMORY_BYTES } from "../../src/node/sqlite/disk-cells.ts";
import { RequestThread } from "../../src/node/sqlite/request-thread.ts";
import { workerUrl } from "../../src/node/sqlite/worker-url.ts";
import { TrainedPoll } from "./trained-poll.ts";

const POLL_MS = 0.25;
const LOOK_MS = 0.05;

/** What a loop does, in a time that the story tells. */
class Loop {
  now = 0;
  readonly #tasks: (() => void)[] = [];
  readonly poll = new BusyPoll({
    clock: { monotonic: () => this.now },
    afterTurn: (task) => void this.#tasks.push(task),
    pollMs: POLL_MS,
    lookMs: LOOK_MS,
  });

  /** It would sleep now. */
  get sleeps(): boolean {
    return this.#tasks.length === 0;
  }

  turn(): void {
    for (const task of this.#tasks.splice(0)) task();
  }

  /** An answer that is made in `polledMs` when this loop is awake for it, else `sleptMs`. Says for how many turns it was. */
  wait({ polledMs, sleptMs }: { polledMs: number; sleptMs: number }): number {
    const isPolled = this.poll.polls;
    const from = this.now;
    let turns = 0;
    this.poll.expect();
    for (; !this.sleeps && this.now - from < polledMs; turns += 1) {
      this.now += 0.005;
      this.turn();
    }
    this.now = Math.max(this.now, from + (isPolled ? polledMs : sleptMs));
    this.poll.arrived();
    this.turn();
    expect(this.sleeps).toBe(true);
    return turns;
  }
}

/** Of `count` waits: which ones were polled. */
function polled(loop: Loop, count: number, wait: { polledMs: number; sleptMs: number }): number {
  let waits = 0;
  for (let n = 0; n < count; n += 1) if (loop.wait(wait) > 0) waits += 1;
  return waits;
}

const worthwhile = { polledMs: 0.02, sleptMs: 0.08 };
const slowDisk = { polledMs: 5, sleptMs: 5.05 };
const coreIsShared = { polledMs: 0.1, sleptMs: 0.006 };

test("an answer is a matter of a moment while it is expected, when the one before came in the time of a poll", () => {
  const loop = new Loop();
  const asked = (): boolean => {
    loop.poll.expect();
    return loop.poll.soon;
  };
  expect([loop.poll.soon, asked()]).toEqual([false, false]);
  loop.now += 0.2;
  loop.poll.arrived();
  expect([loop.poll.soon, asked()]).toEqual([false, true]);
  loop.now += 0.3;
  loop.poll.arrived();
  expect(asked()).toBe(false);
});

test("a loop is kept turning for answers that come sooner so, and for nothing behind them", () => {
  const loop = new Loop();
  expect(polled(loop, 16, worthwhile)).toBe(0);
  expect(polled(loop, 8, worthwhile)).toBe(8);
  expect(polled(loop, 1_000, worthwhile)).toBeGreaterThan(850);
  // Its process is idle now.
  expect(loop.sleeps).toBe(true);
});

test("a slow disk and a core that is shared are tried ever more rarely, and cost no more than that", () => {
  for (const wait of [slowDisk, coreIsShared]) {
    const loop = new Loop();
    polled(loop, 16, wait);
    // Two waits show it.
    expect(polled(loop, 16, wait)).toBe(2);
    polled(loop, 2_000, wait);
    expect(polled(loop, 2_000, wait)).toBeLessThan(40);
    // It gets better, and that is found out.
    loop.now += 20_000;
    polled(loop, 5_000, worthwhile);
    expect(polled(loop, 1_000, worthwhile)).toBeGreaterThan(850);
    // And worse.
    polled(loop, 200, wait);
    expect(polled(loop, 1_000, wait)).toBeLessThan(100);
  }
});

test("polling that gains next to nothing isn't done: the CPU is somebody else's", () => {
  const loop = new Loop();
  polled(loop, 2_000, { polledMs: 0.001, sleptMs: 0.006 });
  expect(polled(loop, 1_000, { polledMs: 0.001, sleptMs: 0.006 })).toBeLessThan(40);
});

test("a wait that is too long ends in sleep, once; asking again begins it anew", () => {
  const loop = new Loop();
  polled(loop, 24, worthwhile);
  expect(loop.poll.polls).toBe(true);
  const answer = { look: vi.fn(() => false), sleep: vi.fn() };
  loop.poll.expect(answer);
  loop.now += POLL_MS / 2;
  loop.turn();
  loop.poll.expect(answer);
  loop.now += POLL_MS / 2;
  loop.turn();
  expect(loop.sleeps).toBe(false);
  expect(answer.sleep).not.toHaveBeenCalled();
  loop.now += POLL_MS / 2;
  loop.turn();
  expect(loop.sleeps).toBe(true);
  expect(answer.sleep).toHaveBeenCalledTimes(1);
  expect(answer.look).toHaveBeenCalledTimes(3);
});

test("a thread is told to look for a request that comes soon, and for no other", () => {
  const loop = new Loop();
  expect(loop.poll.lookMs).toBe(0);
  polled(loop, 24, worthwhile);
  expect(loop.poll.lookMs).toBe(LOOK_MS);
  loop.now += LOOK_MS * 2;
  expect(loop.poll.lookMs).toBe(0);
});

test("TROUPE_BUSY_POLL=off: nothing is polled, and a thread sleeps at once", () => {
  vi.stubEnv("TROUPE_BUSY_POLL", "off");
  onTestFinished(() => void vi.unstubAllEnvs());
  const poll = nodeBusyPoll();
  const answer = { look: vi.fn(() => false), sleep: vi.fn() };
  for (let n = 0; n < 1_000; n += 1) {
    poll.expect(answer);
    poll.arrived();
  }
  expect(answer.sleep).toHaveBeenCalledTimes(1_000);
  expect(poll.polls).toBe(false);
  expect(poll.lookMs).toBe(0);
});

test("limits: the loop's time and the thread's are far below a timer's, and a thread's the shorter one", () => {
  expect(limits.busyPollMs).toBeLessThan(1);
  expect(limits.busyLookMs).toBeLessThan(limits.busyPollMs);
});

test("an answer of a real thread is taken where it stands, and by its way when that is too late", async () => {
  const trained = new TrainedPoll();
  const { poll } = trained;
  const start = (): RequestThread => {
    const program = workerUrl(
      "disk-worker",
      new URL("../../src/node/sqlite/shard-file.ts", import.meta.url).href,
    );
    // Its descriptor is none: how a request goes is the same to the thread.
    const workerData: DiskWorkerData = { memory: new SharedArrayBuffer(MEMORY_BYTES), files: [] };
    Atomics.store(cellsOf(workerData.memory), diskCells.descriptor, -1);
    const thread = new RequestThread({ program, name: "polled", workerData, lost: () => {}, poll });
    onTestFinished(() => thread.stop());
    return thread;
  };
  const sleeps = vi.spyOn(Atomics, "waitAsync");
  onTestFinished(() => sleeps.mockRestore());
  const ask = (thread: RequestThread) => new Promise<void>((resolve) => thread.ask(resolve));
  // Time stands still: it is never too late.
  const first = start();
  await ask(first);
  await ask(first);
  first.soon();
  await ask(first);
  expect(sleeps).not.toHaveBeenCalled();
  // A thread that starts isn't there in the first turn.
  const late = ask(start());
  trained.now += trained.pollMs;
  await late;
  expect(sleeps).toHaveBeenCalledTimes(1);
});

test("a process that has nothing to do ends, whether or not it polled", () => {
  const directory = mkdtempSync(join(tmpdir(), "troupe-poll-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const mode of ["on", "off"]) {
    const program = join(import.meta.dirname, "busy-poll-child.ts");
    const said = execFileSync(process.execPath, ["--conditions=troupe-source", program, directory], {
      env: { ...process.env, TROUPE_BUSY_POLL: mode },
      encoding: "utf8",
      timeout: 30_000,
    });
    expect(said).toContain("synced 300");
  }
}, 60_000);
