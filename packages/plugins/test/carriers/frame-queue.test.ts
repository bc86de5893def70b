/** Frames on their way into a stream that may be behind. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { FrameQueue } from "../../src/carriers/worker/frame-queue.ts";

class Stream {
  readonly batches: number[][] = [];
  open = true;
  #drain: (() => void) | undefined;

  write({ frames }: { frames: Uint8Array[] }): boolean {
    this.batches.push(frames.map((frame) => frame.byteLength));
    return this.open;
  }

  once(_event: "drain", listener: () => void): void {
    this.#drain = listener;
  }

  drain(): void {
    this.open = true;
    this.#drain?.();
  }
}

function story() {
  const stream = new Stream();
  const overruns: string[] = [];
  const queue = new FrameQueue(stream, (what, limit) => overruns.push(`${what} ${limit}`));
  return { stream, overruns, queue };
}

test("what is said in one turn is one message, and large ones are several", async () => {
  const { stream, queue } = story();
  for (const size of [1, 2, 3]) queue.push(new Uint8Array(size));
  expect(stream.batches).toEqual([]);
  await Promise.resolve();
  expect(stream.batches).toEqual([[1, 2, 3]]);
  for (const size of [200_000, 100_000, 1]) queue.push(new Uint8Array(size));
  queue.flush();
  expect(stream.batches.slice(1)).toEqual([[200_000], [100_000, 1]]);
});

test("a stream that is behind gets nothing until it has drained, and then everything, in order", async () => {
  const { stream, queue } = story();
  stream.open = false;
  queue.push(new Uint8Array(1));
  await Promise.resolve();
  for (const size of [2, 3]) queue.push(new Uint8Array(size));
  await Promise.resolve();
  expect(stream.batches).toEqual([[1]]);
  stream.drain();
  expect(stream.batches).toEqual([[1], [2, 3]]);
});

test("past its limits the queue gives up, once, and drops what waits", async () => {
  const { stream, overruns, queue } = story();
  stream.open = false;
  queue.push(new Uint8Array(1));
  await Promise.resolve();
  for (let n = 0; n <= limits.pluginWaitingFrames + 5; n++) queue.push(new Uint8Array(0));
  expect(overruns).toEqual([`frames ${limits.pluginWaitingFrames}`]);
  stream.drain();
  expect(stream.batches).toEqual([[1]]);

  const other = story();
  other.stream.open = false;
  const half = new Uint8Array(limits.pluginWaitingBytes / 2 + 1);
  other.queue.push(half);
  other.queue.push(half);
  expect(other.overruns).toEqual([`bytes ${limits.pluginWaitingBytes}`]);
});
