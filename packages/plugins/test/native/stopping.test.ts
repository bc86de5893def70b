/**
 * An actor that is told to stop while a call of it waits for the host, in two languages: the call goes on and ends, and then the
 * actor does. When the host's patience is over, it says so, and the call ends with an error.
 */
import { CarriedStopReason, decodePayload, encodePayload, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import type { ActorEar, ActorLine, ActorSaying } from "@troupe/runtime";
import { describe, expect, type TestContext, test } from "vitest";
import { nativeCarrier } from "../../src/carriers/native/native-carrier.ts";
import { openSession } from "../../src/session/open-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { type Built, cPluginAt, keeperInC, rustExample } from "../support/built.ts";
import { nodeSessionEnv } from "../support/node-env.ts";

const languages: readonly (readonly [string, () => Promise<Built>])[] = [
  ["C", () => cPluginAt(...keeperInC)],
  ["Rust", () => rustExample("keeper")],
];
const { SLEEP, BROKEN } = CarriedStopReason;

describe.each(languages)("a stop in %s", (_, build) => {
  async function open(context: TestContext): Promise<PluginSession> {
    const built = await build();
    if (built.missing !== undefined) return context.skip(built.missing);
    return openSession({
      env: nodeSessionEnv,
      open: nativeCarrier({ library: built.path }),
      hostVersion: "0",
    });
  }

  test("waits for the call that waits, whose answer comes, and its next question too", {
    timeout: 290_000,
  }, async (context) => {
    const session = await open(context);
    const actor = new Scripted(session);
    actor.call(1, "tell", ["other", "word", "hello"]);
    const [put] = await actor.asked(1);
    actor.stop(SLEEP);
    actor.answer(put ?? 0, null);
    const [, get] = await actor.asked(2);
    actor.answer(get ?? 0, "hello");
    await actor.stopped;
    expect(actor.said).toEqual(["started", "reply 1 hello", "stopped"]);
    expect(await session.close()).toEqual({ clean: true });
  });

  test("that is the last ends what waits: when the actor is lost, and when its time is over", {
    timeout: 290_000,
  }, async (context) => {
    const session = await open(context);
    const lost = new Scripted(session);
    lost.call(1, "get", ["a"]);
    await lost.asked(1);
    lost.stop(BROKEN);
    await lost.stopped;
    expect(lost.said).toEqual(["started", "reply 1 actor.stopped", "stopped"]);
    const slow = new Scripted(session);
    slow.call(1, "get", ["a"]);
    await slow.asked(1);
    slow.stop(SLEEP);
    slow.stop(BROKEN);
    await slow.stopped;
    expect(slow.said).toEqual(["started", "reply 1 actor.stopped", "stopped"]);
    expect(await session.close()).toEqual({ clean: true });
  });

  test("that is the last ends also what asks anew behind it", { timeout: 290_000 }, async (context) => {
    const session = await open(context);
    const actor = new Scripted(session);
    actor.call(1, "tell", ["other", "word", "hello"]);
    const [put] = await actor.asked(1);
    // The lane has something to do before it comes to the answer: by then the last stop was said.
    for (let call = 2; call < 2_000; call += 1) actor.call(call, "who", []);
    actor.stop(SLEEP);
    actor.answer(put ?? 0, null);
    actor.stop(BROKEN);
    await actor.stopped;
    expect(actor.said).toContain("reply 1 actor.stopped");
    expect(actor.said.at(-1)).toBe("stopped");
    expect(await session.close()).toEqual({ clean: true });
  });
});

/** One instance of the keeper, without a runtime: its questions wait until the test answers them. What it writes is no matter. */
class Scripted implements ActorEar {
  readonly said: string[] = [];
  readonly #line: ActorLine;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #asks: number[] = [];
  readonly #encoding: PluginSession["declared"]["encoding"];
  #more = Promise.withResolvers<void>();

  constructor(session: PluginSession) {
    this.#line = session.actor("keeper").connect(this);
    const name = { name: "keeper", key: [], actorId: "", actor: "keeper", input: NO_PAYLOAD };
    const rest = { generation: 1, createdAt: 0, isNew: true, rows: [], moreRows: false };
    this.#line.send({ $case: "start", value: { ...name, ...rest } });
    this.#encoding = session.declared.encoding;
  }

  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** All that it has asked, when it is so much. */
  async asked(count: number): Promise<readonly number[]> {
    while (this.#asks.length < count) await this.#more.promise;
    return this.#asks;
  }

  call(call: number, action: string, args: unknown[]): void {
    const terms = { timeoutMs: 0, send: undefined, idempotencyKey: "", caller: "", chain: [], depth: 0 };
    const rest = { connection: 0, params: NO_PAYLOAD, trace: "", ...terms };
    const value = { call, action, args: encodePayload(args, this.#encoding), ...rest };
    this.#line.send({ $case: "call", value });
  }

  answer(ask: number, value: unknown): void {
    const nothing = { error: undefined, rows: [], sql: NO_PAYLOAD };
    this.#line.send({
      $case: "answer",
      value: { ask, ...nothing, value: encodePayload(value, this.#encoding) },
    });
  }

  stop(reason: CarriedStopReason): void {
    this.#line.send({ $case: "stop", value: { reason, graceMs: 1_000 } });
  }

  heard(saying: ActorSaying): void {
    if (saying.$case === "ask") {
      this.#asks.push(saying.value.ask);
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    } else if (saying.$case === "reply") {
      const { call, error, value } = saying.value;
      const ended =
        error === undefined ? decodePayload(value, this.#encoding) : `${error.group}.${error.code}`;
      this.said.push(`reply ${call} ${String(ended)}`);
    } else if (saying.$case !== "write") this.said.push(saying.$case);
    if (saying.$case === "stopped") this.#stopped.resolve();
  }

  lost(): void {}
}
