/** Values that are too large fail in an isolate as they do elsewhere, and the actor goes on. */
import { expect, test } from "vitest";
import { DynamicWorld, dynamic, failure } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const MIB = 1024 * 1024;

const big = `
  state: { n: 0, text: "" },
  events: { said: event() },
  actions: {
    add: (c) => (c.state.n += 1),
    stateText: (c, length, letter) => { c.state.n += 1; c.state.text = letter.repeat(length); },
    stateBytes: (c, length) => { c.state.n += 1; c.state.text = new Uint8Array(length); },
    text: (c, length) => "x".repeat(length),
    say: (c, length) => c.broadcast("said", "x".repeat(length)),
    put: (c, length) => c.kv.put("k", new Uint8Array(length)),
  }`;

const tooLarge: readonly { action: string; args: unknown[]; is: string }[] = [
  { action: "stateText", args: [17 * MIB, "x"], is: "storage.property_too_large" },
  { action: "stateText", args: [9 * MIB, "\u00e4"], is: "storage.property_too_large" },
  { action: "stateText", args: [9 * MIB, "\ud800"], is: "storage.property_too_large" },
  { action: "stateBytes", args: [17 * MIB], is: "storage.property_too_large" },
  { action: "text", args: [33 * MIB], is: "message.outgoing_too_long" },
  { action: "say", args: [2 * MIB], is: "message.outgoing_too_long" },
  { action: "say", args: [20 * MIB], is: "message.outgoing_too_long" },
  { action: "put", args: [MIB], is: "kv.value_too_large" },
  // Less than a message may have, and more than this isolate can hold of it.
  { action: "text", args: [31 * MIB], is: "dynamic.memory_exceeded" },
];

test.each(tooLarge)("$action $args: $is, and nothing of the turn is stored", async ({ action, args, is }) => {
  await using world = await DynamicWorld.start({ big: dynamic(big, { cpuTimeLimitMs: 30_000 }) });
  const connection = world.handle("big").connect();
  connection.on("said", () => {});
  expect(await connection.action({ name: "add", args: [] })).toBe(1);
  expect((await failure(world.act("big", action, ...args))).is).toBe(is);
  // The broken activation is on its way out.
  await expect.poll(() => world.act("big", "add").catch(String)).toBe(2);
  await connection.dispose();
});

test("what is allowed is stored and said, also when it is large", async () => {
  await using world = await DynamicWorld.start({
    big: dynamic(big, { cpuTimeLimitMs: 30_000, memoryLimit: 256 }),
  });
  await world.act("big", "stateText", 15 * MIB, "x");
  expect(await world.act("big", "text", 8 * MIB)).toHaveLength(8 * MIB);
});
