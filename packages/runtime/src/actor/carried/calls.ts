/**
 * The calls of one carried activation that have no reply yet.
 *
 * All have the actor's time, so that by it they end in the order in which they began, and one timer is enough. A call whose
 * caller gives it less has a timer of its own.
 */
import type { Env, TimerHandle, TroupeError } from "@troupe/base";
import {
  type CarriedReply,
  decodePayload,
  fromCarriedError,
  type PayloadEncoding,
  type StreamItem,
} from "@troupe/protocol/actor/v1";
import { actorErrors, callErrors, notRetryable, retryable } from "../../errors.ts";
import type { ActorWord } from "../../ports/carried.ts";
import type { FlowControl, FlowSink } from "../../ports/flow.ts";
import type { ActionCall } from "../../ports/instance.ts";
import type { Output } from "../../ports/output.ts";
import type { ActorDescriptor } from "../behaviour.ts";
import { type Batches, PartStored } from "./part-stored.ts";

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
  /** The caller's own deadline, where it is earlier. */
  readonly timer: TimerHandle | undefined;
  /** Batches that had been taken when it began. */
  readonly before: number;
}

/** Where one call waits for another, its code gives it as long for its turn as for the rest. */
export function longestCallMs({ actionTimeout, concurrency }: ActorDescriptor["options"]): number {
  return concurrency === "serial" ? 2 * actionTimeout : actionTimeout;
}

/** Calls in flight, by number. */
export class Calls {
  /** The actor's. */
  readonly batches: Batches = { taken: 0, stored: 0 };
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

  /** No batch is on its way to the disk. */
  get allStored(): boolean {
    return this.batches.taken === this.batches.stored;
  }

  /** The number of a call that begins now. */
  begin(call: ActionCall): number {
    const { env, timeoutMs } = this.#owner;
    this.#last += 1;
    const number = this.#last;
    // The code knows how long a sender waits.
    if (call.send?.wait === true) {
      this.#untimed.set(number, call);
      return number;
    }
    const timer = this.#callersTimer(number, call);
    const until = env.clock.monotonic() + timeoutMs;
    this.#waiting.set(number, { call, until, timer, before: this.batches.taken });
    if (this.#timer === undefined && timeoutMs !== Infinity) this.#arm(timeoutMs);
    return number;
  }

  /** The code has the call: it is told when the caller waits no longer. */
  passed(number: number, call: ActionCall): void {
    call.onAbandoned?.(() => this.#abandoned(number));
  }

  /** What is left of a call's time that begins now, milliseconds; Infinity for no limit. */
  leftMs({ until }: ActionCall): number {
    const { env, timeoutMs } = this.#owner;
    if (until === undefined) return timeoutMs;
    return Math.min(timeoutMs, Math.max(0, until - env.clock.monotonic()));
  }

  /** True for a call that somebody waits for. */
  has(number: number): boolean {
    return this.#waiting.has(number) || this.#untimed.has(number) || this.#flowing.has(number);
  }

  /** A reply came. One to a call that isn't there (timed out, answered already) is nobody's. */
  reply(reply: CarriedReply): void {
    if (this.#flowing.size > 0 && this.#ended(reply)) return;
    const waiting = this.#waiting.get(reply.call);
    const call = waiting?.call ?? this.#untimed.get(reply.call);
    if (call === undefined) return;
    this.#remove(reply.call, waiting);
    this.#answered(call, waiting, this.#output(call, reply));
  }

  #answered(call: ActionCall, waiting: Waiting | undefined, output: Output): void {
    const { batches } = this;
    const before = waiting?.before ?? 0;
    const unsure = batches.taken > before;
    this.#owner.answered(call, unsure ? new PartStored(output, before, batches) : output);
  }

  /** A call's result comes in items. */
  flow(number: number): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#remove(number, waiting);
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

  /** True when a call without a reply was made by this entry of a serial actor, or by what it called. */
  isPartOf(entry: string): boolean {
    for (const { call } of this.#waiting.values())
      if (call.chain?.some((link) => link.entry === entry) === true) return true;
    return false;
  }

  /** No reply comes any more. A call among `unsent` never left, and its caller is told so. */
  failAll(error: TroupeError, unsent: readonly ActorWord[] = []): void {
    const flowing = [...this.#flowing.values()];
    this.#flowing.clear();
    for (const { call, sink } of flowing) this.#owner.answered(call, sink.error(notRetryable(error)));
    const all = [
      ...[...this.#untimed].map(([number, call]) => ({ number, call, waiting: undefined })),
      ...[...this.#waiting].map(([number, waiting]) => ({ number, call: waiting.call, waiting })),
    ];
    this.#disarm();
    for (const { number, waiting } of all) this.#remove(number, waiting);
    const untold = new Set(unsent.map((word) => (word.$case === "call" ? word.value.call : 0)));
    for (const { number, call, waiting } of all) {
      const cause = untold.has(number) ? callErrors.notSent() : lost(call, error);
      this.#answered(call, waiting, call.reply.error(cause));
    }
  }

  #callersTimer(number: number, call: ActionCall): TimerHandle | undefined {
    const { env, timeoutMs } = this.#owner;
    const leftMs = this.leftMs(call);
    if (leftMs >= timeoutMs) return undefined;
    return env.timers.set(() => this.#giveUp(number, callErrors.deadlineExceeded()), leftMs, {
      background: true,
    });
  }

  /** The caller has gone. The code is told; its reply comes all the same. */
  #abandoned(number: number): void {
    if (this.#waiting.has(number) || this.#untimed.has(number)) this.#owner.cancel(number);
  }

  #giveUp(number: number, error: TroupeError): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#remove(number, waiting);
    this.#owner.cancel(number);
    this.#answered(waiting.call, waiting, waiting.call.reply.error(error));
  }

  #remove(number: number, waiting: Waiting | undefined): void {
    if (waiting === undefined) return void this.#untimed.delete(number);
    if (waiting.timer !== undefined) this.#owner.env.timers.clear(waiting.timer);
    this.#waiting.delete(number);
  }

  #output(call: ActionCall, reply: CarriedReply): Output {
    const { encoding } = this.#owner;
    try {
      if (reply.error !== undefined) {
        const error = fromCarriedError(reply.error, encoding);
        if (reply.begun) call.began?.();
        return call.reply.error(reply.refused ? error : told(call, error));
      }
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
      this.#giveUp(number, actorErrors.actionTimedOut(call.name, this.#owner.timeoutMs));
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
