/** What a relay costs: calls of tools and models that do nothing, and actions under one. */
import type { LlmRequest, Relay } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { actor } from "@troupe/runtime";
import { nodeEnv } from "../../packages/runtime/src/node/env.ts";
import { openMemoryStore } from "../../packages/runtime/src/ports/memory/open-memory-store.ts";
import { Runtime } from "../../packages/runtime/src/registry/runtime.ts";
import { interleaved } from "../cpu.ts";
import type { Figure, Line, Unmeasured } from "../line.ts";

const CALLS = 50_000;
/** Calls between two flushes: fewer than a subscriber's queue holds events of. */
const BATCH = 200;
/** The peer is slower by so much that it gets fewer calls. */
const PEER_CALLS = 2_000;

type Way = (count: number) => Promise<void>;

function tools(relay: Relay): Way {
  return async (count) => {
    for (let n = 0; n < count; n += 1) {
      await relay.toolCallExecute("t", {}, () => ({ result: 1 }));
      if (n % BATCH === 0) await relay.flushSubscribers();
    }
    await relay.flushSubscribers();
  };
}

function listening(): Relay {
  const relay = createRelay();
  relay.registerSubscriber("nothing", () => {});
  return relay;
}

/** One middleware of each of five kinds, none of which does anything. */
function dressed(): Relay {
  const relay = listening();
  relay.registerToolConditionalExecutionGuardrail("same", () => null);
  relay.registerToolRequestIntercept("same", ({ args }) => args);
  relay.registerToolExecutionIntercept("same", ({ args }, { next }) => next(args));
  relay.registerToolSanitizeRequestGuardrail("same", ({ value }) => value);
  relay.registerToolSanitizeResponseGuardrail("same", ({ value }) => value);
  return relay;
}

async function costOfTools(relay: Relay, rounds: number): Promise<Figure> {
  const [value = Number.NaN] = await interleaved(rounds, CALLS, [tools(relay)]);
  return { value, detail: `CPU, ${CALLS} calls a round` };
}

/** nemo-relay-node on the same machine in the same run; undefined where it has no build for this platform. */
async function peer(): Promise<Way | undefined> {
  try {
    const nemo = await import("nemo-relay-node");
    return async (count) => {
      for (let n = 0; n < count; n += 1) await nemo.toolCallExecute("t", {}, () => ({ result: 1 }));
    };
  } catch {
    return undefined;
  }
}

/** npm leaves the binary out where it runs on a Node older than 24, as it does in a fresh clone on such a machine. */
function withoutPeer(): string {
  const { platform, arch } = process;
  const suffix = platform === "linux" ? "-gnu" : platform === "win32" ? "-msvc" : "";
  const name = `nemo-relay-node-${platform}-${arch}${suffix}@0.9.2`;
  return `nemo-relay-node's binary isn't installed: npm install --no-save --force ${name}`;
}

async function againstPeer(rounds: number): Promise<Figure | Unmeasured> {
  const theirs = await peer();
  if (theirs === undefined) return { missing: withoutPeer() };
  const [ours = Number.NaN] = await interleaved(rounds, CALLS, [tools(createRelay())]);
  const [nemo = Number.NaN] = await interleaved(rounds, PEER_CALLS, [theirs]);
  return { value: nemo / ours, detail: `${ours.toFixed(2)} µs of CPU to ${nemo.toFixed(1)} µs` };
}

async function costOfMarks(rounds: number): Promise<Figure> {
  const relay = createRelay();
  const marks = (count: number): void => {
    for (let n = 0; n < count; n += 1) relay.event("m", { data: n });
  };
  const [value = Number.NaN] = await interleaved(rounds, CALLS * 10, [marks]);
  return { value, detail: `CPU, ${CALLS * 10} marks a round` };
}

async function costOfChunks(rounds: number): Promise<Figure> {
  const relay = createRelay();
  const request: LlmRequest = { headers: {}, content: {} };
  const chunk = { choices: [{ delta: { content: "word" } }] };
  const streams: Way = async (count) => {
    const stream = await relay.llmStreamCallExecute("l", request, async function* () {
      for (let n = 0; n < count; n += 1) yield chunk;
    });
    for await (const _ of stream);
  };
  const plain: Way = async (count) => {
    const chunks = (async function* () {
      for (let n = 0; n < count; n += 1) yield chunk;
    })();
    for await (const _ of chunks);
  };
  const [value = Number.NaN, floor = Number.NaN] = await interleaved(rounds, CALLS * 2, [streams, plain]);
  return { value, detail: `CPU; the generator alone ${floor.toFixed(2)} µs` };
}

const echo = actor({ actions: { echo: (_c, value: number) => value } });

/** Calls of an actor's action from inside the process, with or without a relay that nobody listens to. */
async function actions(relay: Relay | undefined): Promise<{ way: Way; stop: () => Promise<void> }> {
  const env = nodeEnv({ logLevel: "error" });
  const fail = (cause: unknown): never => {
    throw cause;
  };
  const { directory, storage } = openMemoryStore({ env, onFatal: fail });
  const runtime = new Runtime({ env, directory, storage, use: { echo }, access: {}, relay });
  await runtime.start();
  const handle = runtime.client().getOrCreate("echo");
  const way: Way = async (count) => {
    for (let n = 0; n < count; n += 1) await handle.action({ name: "echo", args: [n] });
  };
  return { way, stop: () => runtime.stop() };
}

async function costOfActions(): Promise<Figure> {
  const on = await actions(createRelay());
  const off = await actions(undefined);
  const [withRelay = Number.NaN, without = Number.NaN] = await interleaved(10, CALLS / 2, [on.way, off.way]);
  await on.stop();
  await off.stop();
  const detail = `${withRelay.toFixed(2)} µs of CPU to ${without.toFixed(2)} µs, 10 rounds in turns`;
  return { value: withRelay - without, detail };
}

/** Lines about the relay. */
export const relayLines: readonly Line[] = [
  {
    name: "relay-tool",
    work: "a tool call that does nothing, nobody listens",
    unit: "us",
    target: 3,
    better: "less",
    peers: "nemo-relay-node 0.9.2: 90 µs",
    measure: (rounds) => costOfTools(createRelay(), rounds),
  },
  {
    name: "relay-peer",
    work: "a tool call that does nothing, times faster than nemo-relay-node 0.9.2",
    unit: "ratio",
    target: 30,
    better: "greater",
    peers: "1",
    measure: againstPeer,
  },
  {
    name: "relay-tool-1",
    work: "a tool call that does nothing, one subscriber, its events handled",
    unit: "us",
    target: 5,
    better: "less",
    peers: "nemo-relay-node 0.9.2: 111 µs",
    measure: (rounds) => costOfTools(listening(), rounds),
  },
  {
    name: "relay-tool-5",
    work: "a tool call that does nothing, under five kinds of middleware",
    unit: "us",
    target: 15,
    better: "less",
    peers: "nemo-relay-node 0.9.2: 1166 µs",
    measure: (rounds) => costOfTools(dressed(), rounds),
  },
  {
    name: "relay-mark",
    work: "a mark that nobody listens to",
    unit: "us",
    target: 0.5,
    better: "less",
    peers: "nemo-relay-node 0.9.2: 3.8 µs",
    measure: costOfMarks,
  },
  {
    name: "relay-chunk",
    work: "a chunk of a model's stream, nobody listens",
    unit: "us",
    target: 2,
    better: "less",
    peers: "nemo-relay-node 0.9.2: 29 µs",
    measure: costOfChunks,
  },
  {
    name: "relay-action",
    work: "an action with the relay on and nobody listening, over one with it off",
    unit: "us",
    target: 1,
    better: "less",
    peers: "-",
    measure: () => costOfActions(),
  },
];
