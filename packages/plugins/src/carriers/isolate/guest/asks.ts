/** What the actor's code asks of its host, beside what any actor asks: each question has one answer. */
import { decodePayload, encodePayload, fromCarriedError } from "@troupe/protocol/actor/v1";
import { encodePluginFrame, type HostAsk, type HostResult } from "@troupe/protocol/plugin/v1";
import type { LentCode, LentContext } from "../../../worker/relay-elsewhere.ts";
import { out } from "./host.ts";

/** A question on its way. */
export interface Asked {
  /** Its number. */
  readonly call: number;
  /** Rejects with the host's error. */
  readonly answer: Promise<unknown>;
}

interface Open extends PromiseWithResolvers<unknown> {
  /** What the host may call before it answers. */
  readonly code: LentCode | undefined;
}

/** Those that have no answer. */
class Asks {
  readonly #open = new Map<number, Open>();
  #last = 0;

  ask(ask: HostAsk, input: object, code?: LentCode): Asked {
    this.#last += 1;
    const call = this.#last;
    const waiting = Promise.withResolvers<unknown>();
    say(call, ask, input);
    this.#open.set(call, { ...waiting, code });
    return { call, answer: waiting.promise };
  }

  /** The host calls the code of a question that is open. */
  run(question: string, input: unknown, context: LentContext): unknown {
    const code = this.#open.get(Number(question))?.code;
    if (code === undefined) throw new RangeError(`There is no code for question ${question}`);
    return code(input, context);
  }

  /** A question that has no answer. */
  tell(ask: HostAsk, input: object): void {
    say(0, ask, input);
  }

  /** Nobody waits for it any more: it is rejected with this. False: it has its answer. */
  forget(call: number, reason: unknown): boolean {
    const waiting = this.#open.get(call);
    waiting?.reject(reason);
    return this.#open.delete(call);
  }

  answered({ call, payload, error }: HostResult): void {
    const waiting = this.#open.get(call);
    this.#open.delete(call);
    if (error !== undefined) waiting?.reject(fromCarriedError(error, "cbor"));
    else waiting?.resolve(decodePayload(payload, "cbor"));
  }
}

/** The isolate's. The host's answers come here. */
export const asks = new Asks();

function say(call: number, ask: HostAsk, input: object): void {
  const value = { call, invoke: 0, ask, payload: encodePayload(input, "cbor") };
  out.frame(encodePluginFrame({ body: { $case: "hostCall", value } }));
}
