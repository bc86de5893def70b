/** Streams of models that a plugin asks of its host: what is left of one, with a plugin that says what the test says. */
import { limits } from "@troupe/protocol";
import { decodePayload, encodePayload } from "@troupe/protocol/actor/v1";
import { HostAsk } from "@troupe/protocol/plugin/v1";
import { expect, test } from "vitest";
import { Listener } from "../../../runtime/test/relay/listener.ts";
import { RelayHost } from "../../src/activation/relay-host.ts";
import type { CarrierEvents } from "../../src/carrier.ts";
import { pluginErrors } from "../../src/errors.ts";
import { openSession } from "../../src/session/open-session.ts";
import { ready, ScriptedCarrier } from "../support/scripted-carrier.ts";
import { settled, World } from "../support/world.ts";

const STREAM = 1;
const request = { headers: {}, content: 1 };

/** A plugin that may call models, and its host. */
class Asking {
  readonly world = new World();
  readonly listener = new Listener();
  #carrier: ScriptedCarrier | undefined;
  #lastCall = STREAM;

  static async open(): Promise<Asking> {
    const asking = new Asking();
    const { relay } = asking.listener;
    await openSession({
      env: asking.world,
      hostVersion: "0.0.0",
      host: new RelayHost({ relay, id: "it", capabilities: ["calls"] }),
      open: (events) => asking.#open(events),
    });
    return asking;
  }

  async #open(events: CarrierEvents): Promise<ScriptedCarrier> {
    this.#carrier = new ScriptedCarrier(events);
    // It answers Hello, which comes when it is there.
    setImmediate(() => this.carrier.say(ready()));
    return this.#carrier;
  }

  get carrier(): ScriptedCarrier {
    if (this.#carrier === undefined) throw new Error("nobody opened the carrier");
    return this.#carrier;
  }

  /** Asks, and gives the number of the question. */
  async ask(ask: HostAsk, input: object, call?: number): Promise<number> {
    this.#lastCall += 1;
    const number = call ?? this.#lastCall;
    const payload = encodePayload(input, "json");
    this.carrier.say({ $case: "hostCall", value: { call: number, invoke: 0, ask, payload } });
    await settled();
    return number;
  }

  read(act: "opened" | "next" | "close"): Promise<number> {
    return this.ask(HostAsk.READ_STREAM, { call: STREAM, act });
  }

  /** A stream that is open, and of which the model's first chunk was read. */
  async begin(): Promise<void> {
    await this.ask(HostAsk.LLM_STREAM, { name: "slow", request }, STREAM);
    await this.model({ act: "open" }, true);
    const chunk = await this.read("next");
    await this.model({ act: "next" }, { done: false, value: "one" });
    expect(this.answer(chunk)).toEqual({ done: false, value: "one" });
  }

  /** What the host asked of the model last, which has to be that, and its answer. */
  async model(asked: object, answer: unknown): Promise<void> {
    const { invoke, input } = this.lastOfModel();
    expect(input).toMatchObject(asked);
    this.carrier.answer(invoke, { payload: JSON.stringify(answer) });
    await settled();
  }

  lastOfModel(): { readonly invoke: number; readonly input: unknown } {
    const last = this.carrier.sent.findLast((frame) => frame.body?.$case === "invoke")?.body;
    if (last?.$case !== "invoke") throw new Error("nothing was asked of the model");
    return { invoke: last.value.invoke, input: decodePayload(last.value.payload, "json") };
  }

  /** The answer to a question: a value, or an error as `group.code`; "none" while there is none. */
  answer(call: number): unknown {
    for (const { body } of this.carrier.sent) {
      if (body?.$case !== "hostResult" || body.value.call !== call) continue;
      const { error, payload } = body.value;
      return error === undefined ? decodePayload(payload, "json") : `${error.group}.${error.code}`;
    }
    return "none";
  }
}

test("a stream that is aborted and never read again is over: its question is answered, and so is who reads late", async () => {
  const asking = await Asking.open();
  await asking.begin();
  await asking.ask(HostAsk.ABORT_CALL, { call: STREAM });
  await asking.model({ act: "close" }, null);
  expect(asking.answer(STREAM)).toBe("relay.aborted");
  expect(asking.answer(await asking.read("next"))).toEqual({ done: true });
  await expect(asking.listener.end("slow")).resolves.toMatchObject({
    metadata: { "error.type": "relay.aborted" },
  });
});

test("whoever reads on at once behind its abort is told that, and not that the model has said all", async () => {
  const asking = await Asking.open();
  await asking.begin();
  const abort = asking.ask(HostAsk.ABORT_CALL, { call: STREAM });
  const [chunk] = await Promise.all([asking.read("next"), abort]);
  expect(asking.answer(chunk)).toBe("relay.aborted");
  await asking.model({ act: "close" }, null);
  expect(asking.answer(await asking.read("next"))).toEqual({ done: true });
});

test("a model that never says that it has stopped keeps nobody waiting for longer than its close may take", async () => {
  const asking = await Asking.open();
  await asking.begin();
  await asking.read("close");
  expect(asking.lastOfModel().input).toMatchObject({ act: "close" });
  await asking.world.pass(limits.pluginCloseTimeoutMs - 1);
  expect(asking.answer(STREAM)).toBe("none");
  await asking.world.pass(1);
  expect(asking.answer(STREAM)).toBeUndefined();
});

for (const [when, act] of [
  ["while a chunk is waited for", "next"],
  ["between two chunks", undefined],
  ["while its model is told to stop", "close"],
] as const)
  test(`a plugin that dies in mid-stream, ${when}, ends the stream, and nothing of it is left`, async () => {
    const asking = await Asking.open();
    await asking.begin();
    if (act !== undefined) await asking.read(act);
    asking.carrier.crash(pluginErrors.violation("it died"));
    asking.carrier.closed();
    await settled();
    const end = await asking.listener.end("slow");
    const why = act === "close" ? "relay.stream_closed" : "relay.aborted";
    expect(end.metadata).toMatchObject({ "error.type": why });
    expect(asking.world.pendingTimers).toBe(0);
    // It hears nothing more.
    expect(asking.answer(STREAM)).toBe("none");
  });

test("an intercept that opens a stream twice reads two, each of its own number, and leaves one", async () => {
  const asking = await Asking.open();
  asking.listener.relay.register({
    kind: "llm_stream_execution_intercept",
    name: "twice",
    handle: async ({ request: given }, { next }) => {
      const first = (await next(given))[Symbol.asyncIterator]();
      const second = await next(given);
      await first.next();
      await first.return?.();
      return second;
    },
  });
  await asking.ask(HostAsk.LLM_STREAM, { name: "slow", request }, STREAM);
  await asking.model({ act: "open", stream: 1 }, true);
  await asking.model({ act: "open", stream: 2 }, true);
  await asking.model({ act: "next", stream: 1 }, { done: false, value: "of the first" });
  await asking.model({ act: "close", stream: 1 }, null);
  const chunk = await asking.read("next");
  await asking.model({ act: "next", stream: 2 }, { done: false, value: "of the second" });
  expect(asking.answer(chunk)).toEqual({ done: false, value: "of the second" });
  const last = await asking.read("next");
  await asking.model({ act: "next", stream: 2 }, { done: true });
  expect([asking.answer(last), asking.answer(STREAM)]).toEqual([{ done: true }, undefined]);
});
