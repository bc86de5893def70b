/** What is kept of a process's output, and what a late reader is told of what isn't. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { Gauge } from "../../src/processes/gauge.ts";
import { OutputLog } from "../../src/processes/output-log.ts";

const printed = (log: OutputLog, data: Uint8Array) => [...log.append("stdout", data)];

test("pages go on where the last one ended, and say when something is lost", () => {
  const log = new OutputLog(7);
  expect(log.page(0, 10)).toEqual({ events: [], nextCursor: 0, hasMore: false, truncated: false });
  for (let n = 1; n <= limits.processReplayEvents + 5; n += 1) printed(log, Uint8Array.of(n % 256));
  const first = log.page(0, 2);
  expect(first).toMatchObject({ nextCursor: 7, hasMore: true, truncated: true });
  expect(first.events.map(({ sequence }) => sequence)).toEqual([6, 7]);
  const all = log.page(7, limits.processReplayEvents);
  expect(all).toMatchObject({ hasMore: false, truncated: false, nextCursor: limits.processReplayEvents + 5 });
  expect(log.page(all.nextCursor, 10)).toMatchObject({
    events: [],
    nextCursor: all.nextCursor,
    hasMore: false,
  });
});

test("long output is several pieces, and of much the end is kept", () => {
  const log = new OutputLog(7);
  const long = new Uint8Array(limits.processChunkBytes * 2 + 1);
  expect(printed(log, long).map(({ data }) => data.byteLength)).toEqual([
    limits.processChunkBytes,
    limits.processChunkBytes,
    1,
  ]);
  printed(log, new Uint8Array(limits.processReplayBytes));
  const { events, truncated } = log.page(0, limits.processPageEvents);
  expect(truncated).toBe(true);
  expect(events.reduce((sum, { data }) => sum + data.byteLength, 0)).toBe(limits.processReplayBytes);
});

test("who is near a limit is warned once, and again behind a retreat", () => {
  const warned: number[] = [];
  const gauge = new Gauge(10, (used) => void warned.push(used));
  gauge.add(7);
  gauge.add(1);
  gauge.add(2);
  expect([gauge.fits(0), gauge.fits(1), warned]).toEqual([true, false, [10 * limits.sandboxWarnShare]]);
  gauge.add(-3);
  gauge.add(1);
  expect(warned).toEqual([8, 8]);
});
