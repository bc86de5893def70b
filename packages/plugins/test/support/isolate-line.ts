/** An actor in an isolate without a runtime around it: its session alone. */
import { limits } from "@troupe/protocol";
import { decodePayload, encodeArgs, fromCarriedError, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import type { ActorLine } from "@troupe/runtime";
import { isolateCarrier } from "../../src/carriers/isolate/isolate-carrier.ts";
import type { IsolateProcess } from "../../src/carriers/isolate/isolate-process.ts";
import type { IsolateOrder } from "../../src/carriers/isolate/wire.ts";
import { openSession } from "../../src/session/open-session.ts";
import { moduleOf } from "./dynamic-world.ts";
import { nodeSessionEnv } from "./node-env.ts";

const TERMS = { timeoutMs: 0, idempotencyKey: "", caller: "", chain: [], depth: 0, trace: "" };

/** Its calls. */
export class IsolateLine {
  readonly #line: ActorLine;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  private constructor(session: Awaited<ReturnType<typeof openSession>>) {
    this.#line = session.actor("it").connect({
      heard: (saying) => {
        if (saying.$case !== "reply") return;
        const { call, value, error } = saying.value;
        const waiting = this.#waiting.get(call);
        this.#waiting.delete(call);
        if (error === undefined) waiting?.resolve(decodePayload(value, "cbor"));
        else waiting?.reject(fromCarriedError(error, "cbor"));
      },
      lost: (error) => {
        for (const waiting of this.#waiting.values()) waiting.reject(error);
      },
    });
    const start = { name: "it", key: [], actorId: "", generation: 1, createdAt: 0, isNew: true, rows: [] };
    const value = { ...start, input: NO_PAYLOAD, actor: "it", moreRows: false };
    this.#line.send({ $case: "start", value });
  }

  static async open(isolates: IsolateProcess, order: IsolateOrder, actorId?: string): Promise<IsolateLine> {
    const open = isolateCarrier(isolates, order, actorId);
    return new IsolateLine(await openSession({ env: nodeSessionEnv, open, hostVersion: "test" }));
  }

  call(action: string, ...args: unknown[]): Promise<unknown> {
    this.#last += 1;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#last, answer);
    const said = { call: this.#last, action, args: encodeArgs(args, "cbor"), connection: 0, send: undefined };
    this.#line.send({ $case: "call", value: { ...said, ...TERMS, params: NO_PAYLOAD } });
    return answer.promise;
  }
}

/** Such an actor; `config` is what stands in `actor({ … })`. */
export function orderOf(config: string, more: Partial<IsolateOrder> = {}): IsolateOrder {
  return {
    name: "it",
    source: moduleOf(config),
    memoryLimit: 64,
    timeLimitMs: limits.isolateTimeMs,
    ...more,
  };
}
