/**
 * The calls of one carried activation that have no reply yet.
 *
 * All have the same time, so that they end in the order in which they began, and one timer is enough.
 */
import type { Env, TimerHandle, TroupeError } from "@troupe/base";
import {
  type CarriedReply,
  decodePayload,
  fromCarriedError,
  type PayloadEncoding,
  type StreamItem,
} from "@troupe/protocol/actor/v1";
import { actorErrors, notRetryable, retryable } from "../../errors.ts";
import type { FlowControl, FlowSink } from "../../ports/flow.ts";
import type { ActionCall } from "../../ports/instance.ts";
import type { Output } from "../../ports/output.ts";

/** What calls need of their activation. */
export interface CallsOwner {
  readonly env: Pick<Env, "clock" | "timers">;
  readonly encoding: PayloadEncoding;
  readonly timeoutMs: number;
  /** A call is over: here is its answer. */
  answered(call: ActionCall, output: Output): void;
  /** Nobody waits for this call any more. */
  cancel(call: number): void;
  /** An item of a result that comes in items. */
  emit(output: Output): void;
  /** A caller takes more items. */
  credit(call: number, items: number): void;
  /** A call is over, and its answer has been given. */
  over(): void;
}

interface Waiting {
  readonly call: ActionCall;
  /** Monotonic. */
  readonly until: number;
}

/** Calls in flight, by number. */
export class Calls {
  readonly #owner: CallsOwner;
  readonly #waiting = new Map<number, Waiting>();
  /** Results that come in items: their code watches over their time. */
  readonly #flowing = new Map<number, { readonly call: ActionCall; readonly sink: FlowSink<unknown> }>();
  /** Senders that wait for a reply. */
  readonly #untimed = new Map<number, ActionCall>();
  #last = 0;
  #timer: TimerHandle | undefined;

  constructor(owner: CallsOwner) {
    this.#owner = owner;
  }

  /** The number of a call that begins now. */
  begin(call: ActionCall): number {
    const { env, timeoutMs } = this.#owner;
    this.#last += 1;
    // The code knows how long a sender waits.
    if (call.send?.wait === true) {
      this.#untimed.set(this.#last, call);
      return this.#last;
    }
    this.#waiting.set(this.#last, { call, until: env.clock.monotonic() + timeoutMs });
    if (this.#timer === undefined && timeoutMs !== Infinity) this.#arm(timeoutMs);
    return this.#last;
  }

  /** A reply came. One to a call that isn't there (timed out, answered already) is nobody's. */
  reply(reply: CarriedReply): void {
    if (this.#flowing.size > 0 && this.#ended(reply)) return;
    const call = this.#waiting.get(reply.call)?.call ?? this.#untimed.get(reply.call);
    if (call === undefined) return;
    this.#waiting.delete(reply.call);
    this.#untimed.delete(reply.call);
    this.#owner.answered(call, this.#output(call, reply));
  }

  /** A call's result comes in items. */
  flow(number: number): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#waiting.delete(number);
    const control: FlowControl = {
      credit: (items) => this.#owner.credit(number, items),
      cancel: () => this.#cut(number),
    };
    this.#flowing.set(number, { call: waiting.call, sink: waiting.call.reply.flow(control) });
  }

  /** An item. One that can't be given to the caller ends its result. */
  item({ call, value }: StreamItem): void {
    const sink = this.#flowing.get(call)?.sink;
    if (sink === undefined) return;
    try {
      const item = value.byteLength === 0 ? undefined : decodePayload(value, this.#owner.encoding);
      this.#owner.emit(sink.item(item));
    } catch (cause) {
      this.#cut(call);
      this.#owner.emit(sink.error(cause));
    }
  }

  /** Nobody takes a result's items any more. */
  #cut(number: number): void {
    if (!this.#flowing.delete(number)) return;
    this.#owner.cancel(number);
    this.#owner.over();
  }

  /** The end of a result that came in items. False when the reply is of another call. */
  #ended(reply: CarriedReply): boolean {
    const flow = this.#flowing.get(reply.call);
    if (flow === undefined) return false;
    const { call, sink } = flow;
    this.#flowing.delete(reply.call);
    const failure = reply.error && notRetryable(fromCarriedError(reply.error, this.#owner.encoding));
    this.#owner.answered(call, failure === undefined ? sink.end() : sink.error(failure));
    return true;
  }

  /** No reply comes any more. */
  failAll(error: TroupeError): void {
    const flowing = [...this.#flowing.values()];
    this.#flowing.clear();
    for (const { call, sink } of flowing) this.#owner.answered(call, sink.error(notRetryable(error)));
    const calls = [...[...this.#waiting.values()].map(({ call }) => call), ...this.#untimed.values()];
    this.#waiting.clear();
    this.#untimed.clear();
    this.#disarm();
    for (const call of calls) this.#owner.answered(call, call.reply.error(lost(call, error)));
  }

  #output(call: ActionCall, reply: CarriedReply): Output {
    const { encoding } = this.#owner;
    try {
      if (reply.error !== undefined)
        return call.reply.error(told(call, fromCarriedError(reply.error, encoding)));
      return call.reply.ok(reply.value.byteLength === 0 ? undefined : decodePayload(reply.value, encoding));
    } catch (cause) {
      return call.reply.error(cause);
    }
  }

  #arm(delayMs: number): void {
    this.#timer = this.#owner.env.timers.set(() => this.#due(), delayMs, { background: true });
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#owner.env.timers.clear(this.#timer);
    this.#timer = undefined;
  }

  #due(): void {
    this.#timer = undefined;
    const now = this.#owner.env.clock.monotonic();
    for (const [number, { call, until }] of this.#waiting) {
      if (until > now) {
        this.#arm(until - now);
        return;
      }
      this.#waiting.delete(number);
      this.#owner.cancel(number);
      this.#owner.answered(
        call,
        call.reply.error(actorErrors.actionTimedOut(call.name, this.#owner.timeoutMs)),
      );
    }
  }
}

/** A message with a ticket may come again whatever became of it; of any other call nobody knows that. */
function lost(call: ActionCall, error: TroupeError): unknown {
  return call.send?.ticket === undefined ? notRetryable(error) : retryable(error);
}

/** What the code says of a message with a ticket is true also when it says that it may come again. */
function told(call: ActionCall, error: TroupeError): unknown {
  return call.send?.ticket === undefined ? notRetryable(error) : error;
}

/** A sender that waits for its reply keeps nobody awake: the code says itself what it works on. */
export function keepsAwake({ send }: ActionCall): boolean {
  return send?.wait !== true;
}
