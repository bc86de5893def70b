/**
 * Work lanes of native plugins, one story in two languages. What takes long waits at a gate of the plugin's own until the
 * test opens it: so nothing here depends on how long anything takes.
 */
import { decodePayload, encodePayload, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import {
  type ActorEar,
  type ActorLine,
  type ActorSaying,
  carriedActor,
  setup,
  setupTest,
} from "@troupe/runtime";
import { beforeAll, describe, expect, type TestContext, test } from "vitest";
import { nativeCarrier } from "../../src/carriers/native/native-carrier.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { openSession } from "../../src/session/open-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { type Built, cPlugin, rustExample } from "../support/built.ts";
import { nodeSessionEnv } from "../support/node-env.ts";
import { watch } from "../support/world.ts";

const TOOL_CONDITIONAL = 12;
const CONNECTIONS = 50;

const languages: readonly (readonly [string, () => Promise<Built>])[] = [
  ["C", () => cPlugin("lanes")],
  ["Rust", () => rustExample("lanes")],
];

/** Gates are the library's, and so all tests': each takes new ones. */
let lastGate = 0;
const newGate = () => ++lastGate;

describe.each(languages)("lanes in %s", (_, build) => {
  let built: Built;
  beforeAll(async () => {
    lastGate = 0;
    built = await build();
  }, 300_000);

  const path = (context: TestContext) =>
    built.missing === undefined ? built.path : context.skip(built.missing);

  async function world(context: TestContext) {
    const registry = setup({ use: { lanes: pluginActor({ library: path(context) }) } });
    const { client, evict } = await setupTest(context, registry);
    const handle = (key: string) => client.lanes.getOrCreate([key]);
    const act = (key: string, name: string, ...args: unknown[]) => handle(key).action({ name, args });
    // Whatever a test waits for at its end, nobody waits at a gate.
    const open = (gate: number) => act("control", "let", gate);
    return { handle, act, open, evict };
  }

  const session = (context: TestContext): Promise<PluginSession> =>
    openSession({ env: nodeSessionEnv, open: nativeCarrier({ library: path(context) }), hostVersion: "0" });

  test("S4.1 while a start takes its time, others start, and their connections open, subscribe, act and close", async (context) => {
    const { handle, act, open } = await world(context);
    const gate = newGate();
    await act("control", "holdStart", gate);
    const counting = act("booting", "count");
    const booting = watch(counting);
    await act("control", "startHeld");
    const early = handle("booting").connect();
    const countingFirst = early.action({ name: "count", args: [] });
    const first = watch(countingFirst);
    for (let at = 0; at < CONNECTIONS; at += 1) {
      const connection = handle(`other ${at % 5}`).connect();
      const heard: unknown[] = [];
      connection.on("counted", (count: unknown) => void heard.push(count));
      expect(await connection.action({ name: "count", args: [] })).toBe(Math.floor(at / 5) + 1);
      expect(heard).toHaveLength(1);
      await connection.dispose();
    }
    expect([booting.state, first.state]).toEqual(["pending", "pending"]);
    await open(gate);
    expect(await early.action({ name: "count", args: [] })).toBe(3);
    expect(await Promise.all([counting, countingFirst])).toEqual([1, 2]);
    await early.dispose();
  });

  test("S4.1 while an action takes its time, its own actor's connections open, subscribe, are refused and close", async (context) => {
    const { handle, act, open } = await world(context);
    const gate = newGate();
    await act("busy", "count");
    const waiting = act("busy", "waitAt", gate);
    const long = watch(waiting);
    const listener = handle("busy").connect();
    const heard = Promise.withResolvers<unknown>();
    listener.on("counted", heard.resolve);
    for (let at = 0; at < CONNECTIONS; at += 1) {
      const connection = handle("busy").connect();
      const opened = Promise.withResolvers<void>();
      connection.onOpen(opened.resolve);
      connection.on("counted", () => {});
      await opened.promise;
      await connection.dispose();
    }
    const unwelcome = handle("busy").connect("unwelcome");
    const refused = Promise.withResolvers<unknown>();
    unwelcome.onError(refused.resolve);
    expect(await refused.promise).toMatchObject({ group: "lanes", code: "refused" });
    await unwelcome.dispose();
    const queued = watch(act("busy", "count"));
    expect(await act("elsewhere", "count")).toBe(1);
    expect([long.state, queued.state]).toEqual(["pending", "pending"]);
    await open(gate);
    // The listener was in force before the call that it hears of.
    expect(await heard.promise).toBe(2);
    expect(await waiting).toBe(gate);
    await listener.dispose();
  });

  test("S4.2 1,000 connections back to back, of an actor on a lane, subscribe and act in one tick: every event arrives", async (context) => {
    const { handle } = await world(context);
    for (let at = 1; at <= 1_000; at += 1) {
      const connection = handle("one").connect();
      const heard: unknown[] = [];
      connection.on("counted", (count: unknown) => void heard.push(count));
      const counted = await connection.action({ name: "count", args: [] });
      expect([counted, ...heard]).toEqual([at, at]);
      await connection.dispose();
    }
  });

  test("an actor's calls wait for the one that runs, and are answered in order; other actors' don't", async (context) => {
    const { act, open } = await world(context);
    const gate = newGate();
    const answers: unknown[] = [];
    const long = act("a", "waitAt", gate).then((answer) => answers.push(answer));
    const counts = [1, 2, 3].map(() => act("a", "count").then((count) => answers.push(count)));
    for (let at = 1; at <= 20; at += 1) expect(await act("b", "count")).toBe(at);
    expect(answers).toEqual([]);
    await open(gate);
    await Promise.all([long, ...counts]);
    expect(answers).toEqual([gate, 1, 2, 3]);
  });

  test("a call that nobody waits for any more, and that hasn't begun, never begins", async (context) => {
    const open = await session(context);
    const [busy, other] = [start(open), start(open)];
    const gate = newGate();
    busy.call(1, "waitAt", [gate]);
    for (const call of [2, 3, 4]) busy.call(call, "count", []);
    for (const call of [3, 9]) busy.line.send({ $case: "cancel", value: { call } });
    other.call(1, "let", [gate]);
    const values = await Promise.all([1, 2, 4].map(async (call) => (await busy.reply(call)).value));
    expect(values.map((value) => decodePayload(value, "json"))).toEqual([gate, 1, 2]);
    await expect(open.close()).resolves.toEqual({ clean: true });
  });

  test("a deferred call is answered later, and the actor goes on", async (context) => {
    const { act, open, evict, handle } = await world(context);
    const gate = newGate();
    const answer = act("a", "later", gate);
    const later = watch(answer);
    for (let at = 1; at <= 20; at += 1) expect(await act("a", "count")).toBe(at);
    expect(later.state).toBe("pending");
    await open(gate);
    expect(await answer).toBe(gate);
    expect(await act("a", "count")).toBe(21);
    await evict(handle("a"));
    expect(await act("a", "count")).toBe(22);
  });

  test("middleware that takes its time holds up its own calls alone", async (context) => {
    const open = await session(context);
    const gate = newGate();
    const ask = (name: string, payload: unknown) => open.invoke({ kind: TOOL_CONDITIONAL, name, payload });
    const slow = watch(ask("slow", [gate]));
    const behind = watch(ask("slow", [0]));
    for (let at = 0; at < 20; at += 1) expect(await ask("other", [0, at])).toEqual([0, at]);
    expect([slow.state, behind.state]).toEqual(["pending", "pending"]);
    const line = start(open);
    line.call(1, "let", [gate]);
    await line.reply(1);
    expect(await ask("slow", [0])).toEqual([0]);
    expect([slow.value, behind.value]).toEqual([[gate], [0]]);
    await expect(open.close()).resolves.toEqual({ clean: true });
  });

  test("close ends within its time while lanes are busy, and says so; what ran ends by itself", async (context) => {
    const busy = await session(context);
    const gates = [newGate(), newGate()];
    const [one, other] = [start(busy), start(busy)];
    await Promise.all([one.started, other.started]);
    one.call(1, "waitAt", [gates[0]]);
    one.call(2, "waitAt", [gates[1]]);
    other.call(1, "later", [gates[1]]);
    await one.waiting;
    await expect(busy.close(50)).resolves.toEqual({ clean: false });
    const next = await session(context);
    const line = start(next);
    for (const [at, gate] of gates.entries()) {
      line.call(at, "let", [gate]);
      await line.reply(at);
    }
    await expect(next.close()).resolves.toEqual({ clean: true });
  });

  test("calls past the limit of one lane are refused, and the others answered", async (context) => {
    const open = await session(context);
    const [full, other] = [start(open), start(open)];
    const gate = newGate();
    await full.started;
    full.call(0, "waitAt", [gate]);
    const calls = 5_000;
    for (let at = 1; at <= calls; at += 1) full.call(at, "count", []);
    expect(await full.reply(calls)).toMatchObject({ error: { group: "actor", code: "overloaded" } });
    other.call(1, "let", [gate]);
    const replies = await Promise.all(Array.from({ length: calls }, (__, at) => full.reply(at + 1)));
    const counted = replies.filter(({ error }) => error === undefined).length;
    expect(replies.filter(({ error }) => error?.code === "overloaded")).toHaveLength(calls - counted);
    // The one that waits may be counted as one of the lane's.
    expect([4_095, 4_096]).toContain(counted);
    full.call(calls + 1, "count", []);
    expect(decodePayload((await full.reply(calls + 1)).value, "json")).toBe(counted + 1);
    await expect(open.close()).resolves.toEqual({ clean: true });
  });

  test("an actor with more state than a frame holds sleeps and wakes", async (context) => {
    const frameBytes = 8 * 1024;
    const library = path(context);
    const definition = carriedActor(async ({ env }) => {
      const open = nativeCarrier({ library, frameBytes });
      return (await openSession({ env, open, frameBytes, hostVersion: "0" })).actor("lanes");
    });
    const { client, evict } = await setupTest(context, setup({ use: { it: definition } }));
    await wide(client.it.getOrCreate(["wide"]), evict, 5_000);
  });

  test("an actor with more state than the largest frame holds sleeps and wakes", {
    timeout: 60_000,
  }, async (context) => {
    const registry = setup({ use: { it: pluginActor({ library: path(context) }) } });
    const { client, evict } = await setupTest(context, registry);
    await wide(client.it.getOrCreate(["wide"]), evict, 15_000_000);
  });
});

interface Wide {
  action(call: { name: string; args: unknown[] }): Promise<unknown>;
  resolve(): Promise<string>;
}

/** Writes ten properties of so many characters, and finds them behind a sleep. */
async function wide(handle: Wide, evict: (handle: Wide) => Promise<void>, characters: number): Promise<void> {
  const act = (name: string, ...args: unknown[]) => handle.action({ name, args });
  for (let at = 0; at < 10; at += 1) await act("fill", at, characters);
  await evict(handle);
  expect(await act("size", 10)).toBe(10 * characters);
  expect(await act("count")).toBe(1);
}

type Reply = Extract<ActorSaying, { $case: "reply" }>["value"];

/** One instance of a session's actor, without a runtime. */
class Instance implements ActorEar {
  readonly line: ActorLine;
  readonly #waiting = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<void>();
  readonly #replies = new Map<number, PromiseWithResolvers<Reply>>();

  constructor(session: PluginSession) {
    this.line = session.actor("lanes").connect(this);
    const name = { name: "lanes", key: [], actorId: "", actor: "lanes", input: NO_PAYLOAD };
    const rest = { generation: 1, createdAt: 0, isNew: true, rows: [], moreRows: false };
    this.line.send({ $case: "start", value: { ...name, ...rest } });
  }

  /** An action has begun, and waits at its gate. */
  get waiting(): Promise<void> {
    return this.#waiting.promise;
  }

  get started(): Promise<void> {
    return this.#started.promise;
  }

  call(call: number, action: string, args: unknown[]): void {
    const terms = {
      timeoutMs: 0,
      send: undefined,
      idempotencyKey: "",
      caller: "",
      chain: [],
      depth: 0,
      trace: "",
    };
    const rest = { connection: 0, params: NO_PAYLOAD, ...terms };
    this.line.send({ $case: "call", value: { call, action, args: encodePayload(args, "json"), ...rest } });
  }

  reply(call: number): Promise<Reply> {
    return this.#of(call).promise;
  }

  heard(saying: ActorSaying): void {
    if (saying.$case === "started") this.#started.resolve();
    if (saying.$case === "event" && saying.value.name === "waiting") this.#waiting.resolve();
    // The bytes are the carrier's.
    if (saying.$case === "reply")
      this.#of(saying.value.call).resolve({ ...saying.value, value: saying.value.value.slice() });
  }

  lost(): void {}

  #of(call: number): PromiseWithResolvers<Reply> {
    const known = this.#replies.get(call) ?? Promise.withResolvers<Reply>();
    this.#replies.set(call, known);
    return known;
  }
}

const start = (session: PluginSession) => new Instance(session);
