/** The native carrier, against a library that does what the test says. */
import { writeSync } from "node:fs";
import { limits } from "@troupe/protocol";
import type { HostFrame, PluginFrame } from "@troupe/protocol/plugin/v1";
import { expect, test, vi } from "vitest";
import { Outbox } from "../../src/carriers/native/outbox.ts";
import { framed, played } from "../support/scripted-library.ts";
import { settled } from "../support/world.ts";

const ping = (number: number): HostFrame => ({ body: { $case: "ping", value: { number } } });
const pong = (number: number): PluginFrame => ({ body: { $case: "pong", value: { number } } });
const numbers = (frames: readonly PluginFrame[]) =>
  frames.map((frame) => (frame.body?.$case === "pong" ? frame.body.value.number : 0));

test("what is sent in one turn is pushed together and pulled for once, and an answer in place needs no wake", async () => {
  const { library, carrier, heard } = await played();
  library.onPull = () => {
    for (const { body } of library.pushed.splice(0))
      if (body?.$case === "ping") library.say(pong(body.value.number));
  };
  carrier.send(ping(1));
  carrier.send(ping(2));
  expect(library.calls).toEqual([]);
  await settled();
  expect(library.calls).toEqual(["push", "pull", "pull"]);
  expect(numbers(heard)).toEqual([1, 2]);
  await carrier.close(100);
});

test("a byte on the descriptor brings what was queued since", async () => {
  const { library, carrier, heard } = await played();
  library.say(pong(7));
  writeSync(library.wake, "!");
  await vi.waitFor(() => expect(numbers(heard)).toEqual([7]), { interval: 1, timeout: 15_000 });
  await carrier.close(100);
});

test("what is sent while frames are heard goes before more is heard, and never inside another call", async () => {
  const { library, carrier, heard } = await played((frame) => {
    const number = frame.body?.$case === "pong" ? frame.body.value.number : 9;
    if (number < 3) carrier.send(ping(number));
  });
  library.onPull = () => {
    for (const { body } of library.pushed.splice(0))
      if (body?.$case === "ping") library.say(pong(body.value.number + 1));
  };
  carrier.send(ping(0));
  await settled();
  expect(numbers(heard)).toEqual([1, 2, 3]);
  await carrier.close(100);
});

test("a plugin that always has more doesn't keep others from their turn", async () => {
  const { library, carrier, heard } = await played();
  library.onPull = () => library.say(pong(1));
  carrier.send(ping(1));
  await Promise.resolve();
  expect(heard).toHaveLength(limits.pluginFramesPerTurn + limits.pluginFramesPerAsked);
  for (let turn = 0; turn < 3; turn += 1) await settled();
  expect(heard.length).toBeLessThanOrEqual(5 * limits.pluginFramesPerTurn);
  await carrier.close(100);
});

test("frames wait in order for a plugin that is full, and go when it has said something", async () => {
  const { library, carrier } = await played();
  library.pushStatus.push(1, 1);
  carrier.send(ping(1));
  carrier.send(ping(2));
  await settled();
  expect(library.pushed).toEqual([]);
  library.say(pong(1));
  carrier.send(ping(3));
  await settled();
  expect(library.pushed).toEqual([ping(1), ping(2), ping(3)]);
  await carrier.close(100);
});

test("more than the limit that waits ends it: plugin.stalled", async () => {
  const { library, carrier, ended } = await played();
  library.pushStatus.push(...Array.from({ length: 10 }, () => 1));
  for (let at = 0; at <= limits.pluginWaitingFrames; at += 1) carrier.send(ping(at));
  expect(ended()).toBe("plugin.stalled");
  await carrier.close(100);
});

test("so do more bytes than the limit", () => {
  const outbox = new Outbox();
  const large = new Uint8Array(limits.pluginFrameBytes);
  expect([outbox.add(large), outbox.add(large)]).toEqual([undefined, undefined]);
  expect(outbox.add(new Uint8Array(1))).toMatchObject({ code: "stalled", metadata: { what: "bytes" } });
});

test("a frame past the limit isn't sent", async () => {
  const { carrier, ended } = await played();
  const payload = new Uint8Array(limits.pluginFrameBytes + 1);
  carrier.send({
    body: { $case: "invoke", value: { invoke: 1, kind: 1, name: "a", payload, timeoutMs: 0, scope: "" } },
  });
  expect(ended()).toBe("plugin.frame_too_long");
  await carrier.close(100);
});

test("a frame that doesn't fit is pulled into a larger buffer", async () => {
  const { library, carrier, heard } = await played();
  library.say({ body: { $case: "log", value: { line: { level: 2, message: "x".repeat(200_000) } } } });
  carrier.send(ping(1));
  await settled();
  expect(heard).toHaveLength(1);
  await carrier.close(100);
});

test("what a reader sliced out of a frame is its own when the next one comes", async () => {
  const kept: Uint8Array[] = [];
  const { library, carrier } = await played(({ body }) => {
    if (body?.$case === "invokeResult") kept.push(body.value.payload.slice());
  });
  for (const byte of [1, 2, 3]) {
    const payload = new Uint8Array(8).fill(byte);
    library.say({
      body: { $case: "invokeResult", value: { invoke: byte, payload, error: undefined, stream: false } },
    });
    carrier.send(ping(byte));
    await settled();
  }
  expect(kept.map((bytes) => [...new Set(bytes)])).toEqual([[1], [2], [3]]);
  await carrier.close(100);
});

const nonsense: readonly (readonly [string, Buffer, string])[] = [
  ["half a length", Buffer.from([1, 0]), "plugin.violation"],
  ["half a frame", Buffer.from([9, 0, 0, 0, 1]), "plugin.violation"],
  ["a frame past the limit", Buffer.from([0, 0, 0, 0xff, 1]), "plugin.frame_too_long"],
  ["a frame that isn't a message", framed(Buffer.from([0xff, 0xff])), "plugin.violation"],
  ["a message whose text is longer than it", framed(Buffer.from([0x32, 4, 0x0a, 0x7f])), "plugin.violation"],
];

test.each(nonsense)("%s ends it", async (_, bytes, code) => {
  const { library, carrier, heard, ended } = await played();
  library.say(pong(1));
  library.out = Buffer.concat([library.out, bytes]);
  carrier.send(ping(1));
  await settled();
  expect(numbers(heard)).toEqual([1]);
  expect(ended()).toBe(code);
  carrier.send(ping(2));
  await settled();
  expect(library.calls.filter((call) => call === "push")).toHaveLength(1);
  await carrier.close(100);
});

test.each([[-(2 ** 40)], [-1], [2 ** 40]])("a pull that gives %i ends it", async (status) => {
  const { library, carrier, ended } = await played();
  library.pullStatus = status;
  carrier.send(ping(1));
  await settled();
  expect(ended()).toBe("plugin.broken");
  await carrier.close(100);
});

test("close says the last word, asks once, and tells of threads that stayed", async () => {
  const { library, carrier, ended } = await played();
  library.closeStatus = 1;
  carrier.send({ body: { $case: "goodbye", value: { reason: "enough" } } });
  const closing = carrier.close(100);
  expect(carrier.close(100)).toBe(closing);
  carrier.send(ping(1));
  await expect(closing).resolves.toEqual({ clean: false });
  expect(library.calls).toEqual(["push", "close"]);
  expect(ended()).toBe("closed");
  // Its threads may still write there: the descriptor isn't somebody else's by now.
  expect(writeSync(library.wake, "!")).toBe(1);
});

test("random bytes, and cut and changed frames, never do more than end it", async () => {
  const seed = Number(process.env.TROUPE_TEST_SEED ?? 20_251_121);
  const random = mulberry32(seed);
  const whole = framed(Buffer.from([0x1a, 6, 8, 1, 0x22, 2, 0x0a, 0]));
  const ends = new Set<string | undefined>();
  for (let round = 0; round < 2_000; round += 1) {
    const { library, carrier, ended } = await played();
    const bytes = random() < 0.5 ? garbage(random) : Buffer.concat([whole, whole]).subarray(0, random() * 24);
    const at = Math.floor(random() * bytes.byteLength);
    if (random() < 0.7 && bytes.byteLength > 0) bytes[at] = random() * 256;
    library.out = Buffer.from(bytes);
    carrier.send(ping(1));
    await Promise.resolve();
    ends.add(ended());
    await carrier.close(100);
  }
  expect([...ends].sort(), `TROUPE_TEST_SEED=${seed}`).toEqual([
    "plugin.frame_too_long",
    "plugin.violation",
    undefined,
  ]);
});

function garbage(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256)));
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
