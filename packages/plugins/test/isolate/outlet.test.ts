/** An isolate's way out: what it says arrives whole and in order, and never more at once than its neighbours can stand. */
import type { Logger } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { encodeArgs, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { isolateCarrier } from "../../src/carriers/isolate/isolate-carrier.ts";
import { IsolateProcess } from "../../src/carriers/isolate/isolate-process.ts";
import { Outlet } from "../../src/carriers/isolate/process/outlet.ts";
import { openSession } from "../../src/session/open-session.ts";
import { nodeSessionEnv } from "../support/node-env.ts";

const { isolateFramesPerTurn, isolateBytesPerTurn } = limits;

/** An outlet, and a runtime that reads when it is told to. */
class World {
  /** What is on its way, and what the runtime has read. */
  readonly onTheWay: (Uint8Array | "spent")[] = [];
  readonly read: Uint8Array[] = [];
  readonly outlet = new Outlet({
    send: (frame) => void this.onTheWay.push(frame),
    spent: () => void this.onTheWay.push("spent"),
  });

  get frames(): Uint8Array[] {
    return this.onTheWay.filter((one) => one !== "spent");
  }

  /** A turn of the runtime. False: nothing had come. */
  turn(): boolean {
    const came = this.onTheWay.splice(0);
    this.read.push(...came.filter((one) => one !== "spent"));
    if (came.includes("spent")) this.outlet.more();
    return came.length > 0;
  }
}

/** A frame of an actor, which has its number. */
function frame(number: number, bytes = 8): Uint8Array {
  const made = new Uint8Array(Math.max(bytes, 8));
  new DataView(made.buffer).setUint32(4, number);
  return made;
}

const numberOf = (made: Uint8Array): number => new DataView(made.buffer).getUint32(4);

test("who says little never waits, however long it talks", () => {
  const world = new World();
  for (let n = 0; n < 10 * isolateFramesPerTurn; n += 1) {
    world.outlet.say(frame(n));
    expect(world.outlet.blocked).toBe(undefined);
    world.turn();
  }
  expect(world.read).toHaveLength(10 * isolateFramesPerTurn);
});

test("one that floods has a budget of frames on its way, and is blocked until the rest has left", async () => {
  const world = new World();
  for (let n = 0; n < 10 * isolateFramesPerTurn; n += 1) world.outlet.say(frame(n));
  expect(world.frames).toHaveLength(isolateFramesPerTurn);
  const blocked = world.outlet.blocked;
  expect(blocked).not.toBe(undefined);
  while (world.turn()) expect(world.frames.length).toBeLessThanOrEqual(isolateFramesPerTurn);
  await blocked;
  expect(world.outlet.blocked).toBe(undefined);
  expect(world.read.map(numberOf)).toEqual(Array.from({ length: 10 * isolateFramesPerTurn }, (_, n) => n));
});

test("bytes have a budget as well, and a frame that is longer than it arrives all the same", () => {
  const world = new World();
  const long = isolateBytesPerTurn / 4;
  for (let n = 0; n < 12; n += 1) world.outlet.say(frame(n, long));
  world.outlet.say(frame(12, 3 * isolateBytesPerTurn));
  world.outlet.say(frame(13));
  expect(world.frames).toHaveLength(4);
  while (world.turn());
  expect(world.read.map(numberOf)).toEqual(Array.from({ length: 14 }, (_, n) => n));
});

test("whatever is said, and whenever the runtime has a turn: everything arrives once and in order", () => {
  const step = fc.oneof(fc.constant("turn" as const), fc.integer({ min: 1, max: isolateBytesPerTurn }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      let said = 0;
      for (const one of steps) {
        if (one === "turn") world.turn();
        else world.outlet.say(frame(said++, one));
      }
      while (world.turn());
      expect(world.read.map(numberOf)).toEqual(Array.from({ length: said }, (_, n) => n));
      expect(world.outlet.blocked).toBe(undefined);
    }),
    { numRuns: 50 },
  );
});

test("an end is told behind all that was said before it; a close drops it", async () => {
  const [ending, closing] = [new World(), new World()];
  for (const { outlet } of [ending, closing])
    for (let n = 0; n < 3 * isolateFramesPerTurn; n += 1) outlet.say(frame(n));
  const left = vi.fn(() => expect(ending.read.length + ending.frames.length).toBe(3 * isolateFramesPerTurn));
  ending.outlet.finish(left);
  const never = vi.fn();
  closing.outlet.finish(never);
  closing.outlet.close();
  expect(left).not.toHaveBeenCalled();
  while (ending.turn());
  while (closing.turn());
  await vi.waitFor(() => expect(left).toHaveBeenCalledOnce());
  expect(never).not.toHaveBeenCalled();
  expect(closing.read).toHaveLength(isolateFramesPerTurn);
});

test("a real isolate that logs without end: its answers come, and the log has a second's lines and the count", async () => {
  const lines: string[] = [];
  const take = (message: string): void => void lines.push(message);
  const log: Logger = { debug: take, info: take, warn: take, error: take, child: () => log };
  const env = { ...nodeSessionEnv, log };
  const isolates = new IsolateProcess(env);
  const act = `(c) => { for (let n = 0; n < 5_000; n += 1) c.log.info("line " + n); }`;
  const source = `import { actor } from "troupe"; export default actor({ actions: { act: ${act} } });`;
  const order = { name: "flood", source, memoryLimit: 64, timeLimitMs: 60_000 };
  const session = await openSession({ env, open: isolateCarrier(isolates, order), hostVersion: "test" });
  const answered = Promise.withResolvers<void>();
  const line = session.actor("flood").connect({
    heard: (saying) => void (saying.$case === "reply" && answered.resolve()),
    lost: answered.reject,
  });
  const start = { name: "flood", key: [], actorId: "", generation: 1, createdAt: 0, isNew: true, rows: [] };
  line.send({ $case: "start", value: { ...start, input: NO_PAYLOAD, actor: "flood", moreRows: false } });
  const terms = { timeoutMs: 0, idempotencyKey: "", caller: "", chain: [], depth: 0, trace: "" };
  const args = encodeArgs([], "cbor");
  const call = { call: 1, action: "act", args, connection: 0, params: NO_PAYLOAD, send: undefined };
  line.send({ $case: "call", value: { ...call, ...terms } });
  await answered.promise;
  const dropped = (): number =>
    lines.reduce((sum, one) => sum + Number(/^(\d+) lines dropped/.exec(one)?.[1] ?? 0), 0);
  const heard = (): number => lines.filter((one) => one.startsWith("line ")).length;
  await vi.waitFor(() => expect(heard() + dropped()).toBeGreaterThanOrEqual(5_000), { timeout: 20_000 });
  // Where such an action takes long, the runtime's own line says so, behind the actor's.
  expect(heard() + dropped()).toBeLessThanOrEqual(5_001);
  expect(dropped()).toBeGreaterThan(0);
  await session.close();
  await isolates.close();
});
