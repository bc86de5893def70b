/**
 * The calls of one connection that have no answer yet, across its links.
 *
 *   add() ──▶ queued ── next() ──▶ sent ── resolve() / reject() ──▶ gone
 *                ▲                   │
 *                ├── requeueSent() ──┤   the hello was refused, or the actor stopped in order: none of them was acted on
 *                ├── requeue(id) ────┤   the actor was stopping: this call was not acted on
 *                ├── lost() ─────────┤   the link is lost: what may come twice goes again
 *                └── again(id) ──────┤   what ran the actor is lost: so does this call, if it may come twice
 *                                    └── failSent(), lost()   each of the others may have happened, and is never sent again
 *
 * What is queued waits for a link only so long (unsent-limit.ts).
 *
 * A call is encoded when it is made, so that what the caller does with its arguments afterwards doesn't matter, and a
 * value that can't be encoded fails that call alone.
 */
import type { TimerHandle, TroupeError } from "@troupe/base";
import {
  type ActionFrame,
  type CallTerms,
  type ClientFrame,
  cloneValue,
  type Encoding,
  encodeClientFrame,
  limits,
  type Message,
  wireTimeoutMs,
} from "@troupe/protocol";
import { termsOf } from "../call-terms.ts";
import type { ClientEnv } from "../env.ts";
import { abandoned, clientErrors, Deadline, isOutcomeUnknown, ownDeadline } from "../errors.ts";
import { checkSize } from "../message-size.ts";
import { ActionResult } from "../stream/action-result.ts";
import { ItemQueue } from "../stream/item-queue.ts";
import { ResultStream } from "../stream/result-stream.ts";
import type { QueueSend } from "../transport.ts";
import type { ActionCall } from "../types.ts";
import { UnsentLimit } from "./unsent-limit.ts";

/** An encoded call on its way. */
export interface QueuedCall {
  readonly id: number;
  /** For messages: `Action "increment"`. */
  readonly what: string;
  /** As it is sent now. */
  data: Message;
  /** What its data took when it was made. */
  readonly size: number;
  /** Absent for a call whose caller waits for ever. */
  readonly deadline: CallDeadline | undefined;
  /** How it may be sent again after a loss: under a key, or whatever became of it. */
  readonly again: "no" | "keyed" | "always";
  /** It is told what became of it when that is past, and isn't sent again. Monotonic. */
  readonly againUntil: number;
  /** Since when it waits for a link, monotonic. */
  queuedAt: number;
  /** It is with the gateway, as far as anybody knows. */
  left: boolean;
  /** It was with one whose link was lost: it may have happened, whatever comes now. */
  lost: boolean;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: TroupeError) => void;
  /** Stops listening to the caller's signal. */
  readonly release: () => void;
  /** Its caller waits no longer. */
  abandoned: boolean;
  /** Its result comes in items: they go here. */
  items: ItemQueue | undefined;
}

/** When a caller gives up. */
interface CallDeadline {
  readonly timeoutMs: number;
  /** Monotonic. */
  readonly until: number;
  /** What is sent, but for the time that is left; its values are the call's own. */
  readonly frame: ActionFrame;
}

type CallFrame = Extract<ClientFrame, { readonly kind: "action" | "send" }>;

/** How long a connection's callers wait, and how a call is named. */
export interface CallTimes {
  /** Names a call with an idempotency key, where the parameters may change from link to link. */
  readonly callTicket: (() => string) | undefined;
  /** How long a call without a time of its own is sent again that nobody knows the outcome of. */
  readonly repeatMs: number;
  /** How long an action without a time of its own takes at most; undefined for no limit. */
  readonly actionTimeoutMs: number | undefined;
  /** How long a call without a time of its own waits for a link; Infinity for no limit. */
  readonly sendTimeoutMs: number;
}

/** What the calls need of their connection. */
export interface CallQueueParts extends CallTimes {
  readonly env: Pick<ClientEnv, "clock" | "timers">;
  readonly encoding: Encoding;
  readonly nextId: () => number;
  /** Sends what is said of a call that was sent, if the link is there. */
  readonly control: (frame: ClientFrame) => void;
}

/** The calls of one connection. */
export class CallQueue {
  readonly #parts: CallQueueParts;
  readonly #unsent: UnsentLimit;
  /** In the order of their calls, which is the order of their ids. */
  #queued = new Map<number, QueuedCall>();
  #sent = new Map<number, QueuedCall>();
  #size = 0;
  /** Why the last attempt to connect came to nothing. */
  #cause: unknown;

  constructor(parts: CallQueueParts) {
    this.#parts = parts;
    const { env, sendTimeoutMs } = parts;
    this.#unsent = new UnsentLimit({
      ...{ env, sendTimeoutMs, waiting: () => this.#queued.values() },
      giveUp: (call) => this.refuse(call, clientErrors.waitedForLink(call.what, sendTimeoutMs, this.#cause)),
    });
  }

  /** The answer to a call that is queued now. */
  add(call: ActionCall | QueueSend, signals: readonly (AbortSignal | undefined)[]): ActionResult {
    return new ActionResult((resolve, reject) => {
      const what = "body" in call ? `The message for queue "${call.name}"` : `Action "${call.name}"`;
      const fired = signals.find((signal) => signal?.aborted === true);
      if (fired !== undefined) throw abandoned(what, "not_sent", fired.reason);
      const terms = "body" in call ? {} : termsOf(call, this.#parts);
      const frame = frameOf(this.#parts.nextId(), call, terms);
      const data = this.#encode(frame);
      const { id } = frame;
      const queuedAt = this.#parts.env.clock.monotonic();
      this.#queued.set(id, {
        ...{ queuedAt, id, what, data, size: data.length, again: againOf(frame), resolve, reject },
        deadline: this.#deadline(frame, terms),
        againUntil: queuedAt + (terms.timeoutMs ?? this.#parts.repeatMs),
        release: this.#listen(id, terms.timeoutMs, signals),
        ...{ left: false, lost: false, abandoned: false, items: undefined },
      });
      this.#size += data.length;
    });
  }

  /** What is queued now waits, and not for ever. */
  watch(): void {
    if (this.#queued.size > 0) this.#unsent.arm();
  }

  /** An attempt to connect came to nothing. */
  unreachable(cause: unknown): void {
    this.#cause = cause;
  }

  /** The oldest queued call, as it would be sent now. */
  get first(): QueuedCall | undefined {
    const call: QueuedCall | undefined = this.#queued.values().next().value;
    if (call?.deadline !== undefined) {
      const { frame, until } = call.deadline;
      const timeoutMs = wireTimeoutMs(until - this.#parts.env.clock.monotonic());
      if (timeoutMs !== frame.timeoutMs)
        call.data = encodeClientFrame({ ...frame, timeoutMs }, this.#parts.encoding);
    }
    return call;
  }

  /** A queued call can't be sent on this link. */
  refuse(call: QueuedCall, error: TroupeError): void {
    this.#forget(call);
    fail(call, mayHaveHappened(call) ? clientErrors.outcomeUnknown(call.what, error) : error);
  }

  /** The oldest queued call was handed to a link. */
  markSent(call: QueuedCall): void {
    call.left = true;
    this.#queued.delete(call.id);
    this.#sent.set(call.id, call);
    if (this.#queued.size === 0) this.#unsent.clear();
  }

  /** An answer to a call that nobody waits for any longer is dropped. */
  resolve(id: number, output: unknown): void {
    this.#take(id)?.resolve(output);
  }

  /** An item of a result: the first one says that it comes in items. */
  item(id: number, item: unknown): void {
    const call = this.#sent.get(id);
    if (call === undefined) return;
    this.#itemsOf(call).push(item);
  }

  /** A result that came in items is whole. */
  end(id: number): void {
    const call = this.#take(id);
    if (call !== undefined) this.#itemsOf(call).end();
  }

  /** True when there was such a call. */
  reject(id: number, error: TroupeError): boolean {
    const call = this.#take(id);
    if (call === undefined) return false;
    const { what } = call;
    // A message with a ticket is in its queue once: what is said of it now is what holds.
    const unknown = call.lost && call.again === "keyed" && error.retryable;
    if (unknown) fail(call, clientErrors.outcomeUnknown(what, error));
    else fail(call, ownDeadline(what, call.deadline?.timeoutMs, error) as TroupeError);
    return true;
  }

  /** The link is lost: what may be sent twice goes again, and nobody knows what became of the others. */
  lost(cause: unknown): void {
    for (const [id, call] of this.#sent) {
      if (!mayGoAgain(call)) continue;
      call.lost = true;
      this.#sent.delete(id);
      this.#queued.set(id, this.#waitsAgain(call));
    }
    this.unreachable(cause);
    this.failSent(cause);
    this.#queued = inOrder([...this.#queued]);
    this.watch();
  }

  /** No link comes any more: nobody knows what became of the calls that were sent. */
  failSent(cause: unknown): void {
    for (const call of this.#sent.values()) this.#fail(call, cause);
  }

  /** What was sent was surely not acted on: it goes again, in the order of the calls. */
  requeueSent(): void {
    for (const call of this.#sent.values()) {
      this.#waitsAgain(call);
      if (call.abandoned) this.#forget(call);
    }
    this.#queued = inOrder([...this.#sent, ...this.#queued]);
    this.#sent = new Map();
    this.watch();
  }

  /** A sent call was surely not acted on: it goes again, in the order of the calls. True when there was such a call. */
  requeue(id: number): boolean {
    const call = this.#sent.get(id);
    if (call === undefined) return false;
    this.#sent.delete(id);
    this.#waitsAgain(call);
    if (call.abandoned) {
      this.#forget(call);
      return true;
    }
    this.#queued = inOrder([...this.#queued, [id, call] as const]);
    this.watch();
    return true;
  }

  /** Nobody knows what became of a sent call: it goes again, if it may come twice. True when it does. */
  again(id: number, error: TroupeError): boolean {
    const call = this.#sent.get(id);
    if (call === undefined || !isOutcomeUnknown(error) || !mayGoAgain(call)) return false;
    if (this.#parts.env.clock.monotonic() >= call.againUntil) return false;
    call.lost = true;
    return this.requeue(id);
  }

  /** Fails every call that wasn't sent. */
  failQueued(error: TroupeError): void {
    for (const call of this.#queued.values()) this.refuse(call, error);
  }

  #deadline(frame: CallFrame, { timeoutMs }: CallTerms): CallDeadline | undefined {
    if (timeoutMs === undefined || frame.kind !== "action") return undefined;
    // What the caller does with its arguments afterwards doesn't matter, whenever they are encoded.
    const until = this.#parts.env.clock.monotonic() + timeoutMs;
    return { timeoutMs, until, frame: { ...frame, args: cloneValue(frame.args, "args") } };
  }

  #encode(frame: CallFrame): Message {
    // Calls that were sent and then abandoned count too: the actor still works on them.
    if (this.#queued.size + this.#sent.size >= limits.connectionActionsInFlight) {
      throw clientErrors.queueFull("actions", limits.connectionActionsInFlight);
    }
    const data = encodeClientFrame(frame, this.#parts.encoding);
    checkSize(data, limits.incomingMessageBytes);
    if (this.#size > 0 && this.#size + data.length > limits.sendBufferBytes) {
      throw clientErrors.queueFull("bytes of actions", limits.sendBufferBytes);
    }
    return data;
  }

  #listen(
    id: number,
    timeoutMs: number | undefined,
    signals: readonly (AbortSignal | undefined)[],
  ): () => void {
    if (timeoutMs === undefined && signals.every((signal) => signal === undefined)) return ignore;
    const { timers } = this.#parts.env;
    const abort = (event: Event): void => this.#abandon(id, (event.target as AbortSignal).reason);
    for (const signal of signals) signal?.addEventListener("abort", abort);
    let timer: TimerHandle | undefined;
    if (timeoutMs !== undefined)
      timer = timers.set(() => this.#abandon(id, new Deadline(timeoutMs)), timeoutMs);
    return () => {
      if (timer !== undefined) timers.clear(timer);
      for (const signal of signals) signal?.removeEventListener("abort", abort);
    };
  }

  #abandon(id: number, reason: unknown): void {
    const queued = this.#queued.get(id);
    const call = queued ?? this.#sent.get(id);
    if (call === undefined) return;
    call.abandoned = true;
    call.release();
    if (call.items !== undefined) {
      call.items.abort(abandoned(call.what, "unknown", reason));
      this.#cancel(call);
      return;
    }
    call.reject(abandoned(call.what, mayHaveHappened(call) ? "unknown" : "not_sent", reason));
    if (queued !== undefined) this.#forget(queued);
    else this.#parts.control({ kind: "cancel", id });
  }

  #itemsOf(call: QueuedCall): ItemQueue {
    if (call.items !== undefined) return call.items;
    const { id } = call;
    const items = new ItemQueue({
      taken: (count) => this.#parts.control({ kind: "credit", id, items: count }),
      cancelled: () => this.#cancel(call),
    });
    call.items = items;
    // One that was abandoned before its first item: nobody takes any.
    if (call.abandoned) this.#cancel(call);
    call.resolve(new ResultStream(items));
    return items;
  }

  /** Nobody takes a result's items any more. */
  #cancel(call: QueuedCall): void {
    if (this.#sent.get(call.id) !== call) return;
    this.#forget(call);
    this.#parts.control({ kind: "cancel", id: call.id });
  }

  #waitsAgain(call: QueuedCall): QueuedCall {
    call.left = false;
    call.queuedAt = this.#parts.env.clock.monotonic();
    return call;
  }

  #fail(call: QueuedCall, cause: unknown): void {
    this.#forget(call);
    fail(call, clientErrors.outcomeUnknown(call.what, cause));
  }

  #take(id: number): QueuedCall | undefined {
    const call = this.#sent.get(id);
    if (call !== undefined) this.#forget(call);
    return call;
  }

  #forget(call: QueuedCall): void {
    this.#queued.delete(call.id);
    this.#sent.delete(call.id);
    this.#size -= call.size;
    call.release();
    if (this.#queued.size === 0) this.#unsent.clear();
  }
}

function fail(call: QueuedCall, error: TroupeError): void {
  if (call.items === undefined) call.reject(error);
  else call.items.fail(error);
}

function frameOf(id: number, call: ActionCall | QueueSend, terms: CallTerms): CallFrame {
  if ("body" in call) return { kind: "send", id, ...call };
  return { kind: "action", id, name: call.name, args: call.args ?? [], ...terms };
}

function againOf(frame: CallFrame): QueuedCall["again"] {
  if (frame.kind === "send") return "ticket" in frame ? "always" : "no";
  return frame.idempotencyKey === undefined ? "no" : "keyed";
}

function mayGoAgain({ again, abandoned, items }: QueuedCall): boolean {
  return again !== "no" && !abandoned && items === undefined;
}

function mayHaveHappened({ left, lost }: QueuedCall): boolean {
  return left || lost;
}

function inOrder(calls: (readonly [number, QueuedCall])[]): Map<number, QueuedCall> {
  return new Map(calls.sort(([one], [other]) => one - other));
}

function ignore(): void {}
