/** Which actors of an isolate do without the parts of the guest's program. */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { type CarriedReply, decodePayload, encodePayload, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import { HostFrameCodec, type PluginFrame, PluginFrameCodec } from "@troupe/protocol/plugin/v1";
import { expect, test } from "vitest";
import { firstCall } from "../../src/carriers/isolate/process/first-call.ts";
import { RecordList, RecordParts } from "../../src/carriers/isolate/records.ts";

const MAILBOX_BYTES = 16 * 1024;
const { core }: { core: string } = JSON.parse(
  readFileSync(new URL("../../dist/isolate-guest.json", import.meta.url), "utf8"),
);

/** What the core alone says of an actor's first call. */
async function saidOf(definition: string): Promise<PluginFrame[]> {
  const realm = createContext({ random: (length: number) => new Uint8Array(length) });
  runInContext(core, realm);
  // The realm's own memory: the guest takes its methods away.
  const memory: SharedArrayBuffer = runInContext(
    `const { prepare, load, enter, endTurn, module } = troupeIsolate;
     const memory = new SharedArrayBuffer(${MAILBOX_BYTES});
     const header = new Uint32Array(memory, 0, 2);
     prepare(random, memory);
     load({ default: module.actor(${definition}) }, "small", "");
     memory`,
    realm,
  );
  const said: PluginFrame[] = [];
  for (const frame of firstCall({ name: "small", args: [] })) {
    const records = new RecordList();
    records.frame(HostFrameCodec.encode(frame));
    const bytes = JSON.stringify([...records.take()]);
    runInContext(`enter(new Uint8Array(${bytes}).buffer)`, realm);
    for (let turn = 0; turn < 3; turn += 1) {
      await new Promise(setImmediate);
      runInContext("endTurn()", realm);
    }
    said.push(...taken(new Uint8Array(memory)));
    runInContext("header.fill(0)", realm);
  }
  return said;
}

function taken(memory: Uint8Array): PluginFrame[] {
  const bytes = new DataView(memory.buffer).getUint32(0, true);
  const frames: PluginFrame[] = [];
  new RecordParts(memory.slice(8, 8 + bytes), {
    frame: (frame) => void frames.push(PluginFrameCodec.decode(frame)),
    timerSet: () => {},
    timerCleared: () => {},
  }).read(1_000);
  return frames;
}

function replyOf(said: readonly PluginFrame[]): CarriedReply | undefined {
  const heard = said.map(({ body }) => (body?.$case === "actor" ? body.value.body : undefined));
  return heard.find((body) => body?.$case === "reply")?.value;
}

test("an actor of state and actions is the core's alone", async () => {
  const said = await saidOf("{ state: { n: 0 }, actions: { act: (c) => (c.state.n += 1) } }");
  expect(replyOf(said)).toMatchObject({ call: 1, error: undefined, value: encodePayload(1, "cbor") });
});

test("one that uses more needs its part", async () => {
  const said = await saidOf('{ actions: { act: (c) => c.kv.put("a", 1) } }');
  expect(replyOf(said)?.error?.message).toMatch(/^The guest's core uses \w+:/);
});

test("the web's classes come when they are used first, and may be replaced before", async () => {
  const used = "() => { try { return new Response(); } catch (cause) { return cause.message; } }";
  const value = decodePayload(
    replyOf(await saidOf(`{ actions: { act: ${used} } }`))?.value ?? NO_PAYLOAD,
    "cbor",
  );
  expect(value).toMatch(/^The guest's core uses web:/);
  const replaced = "() => { globalThis.Response = 7; return Response; }";
  const said = await saidOf(`{ actions: { act: ${replaced} } }`);
  expect(replyOf(said)?.value).toEqual(encodePayload(7, "cbor"));
});
