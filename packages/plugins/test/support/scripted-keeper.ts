/** An actor of a library, the kit's keeper, in the hands of a test that is its host. */
import { type CarriedStopReason, decodePayload, encodePayload, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import type { ActorEar, ActorLine, ActorSaying } from "@troupe/runtime";
import type { PluginSession } from "../../src/session/session.ts";

/** One instance of the keeper, without a runtime: its questions wait until the test answers them. What it writes is no matter to `said`. */
export class ScriptedKeeper implements ActorEar {
  readonly said: string[] = [];
  /** The kinds of all its words. */
  readonly words: string[] = [];
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
    this.words.push(saying.$case === "ask" ? `ask ${saying.value.about?.$case}` : saying.$case);
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
