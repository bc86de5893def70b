/**
 * The calls of one connection that have no answer yet, across its links.
 *
 *   add() ──▶ queued ── next() ──▶ sent ── resolve() / reject() ──▶ gone
 *                ▲                   │
 *                ├── requeueSent() ──┤   the hello was refused, or the actor stopped in order: none of them was acted on
 *                └── requeue(id) ────┤   the actor was stopping: this call was not acted on
 *                                    └── failLost()   the link is lost: each may have happened, none is sent again but
 *                                                     messages with tickets, which may come twice
 *
 * A call is encoded when it is made, so that what the caller does with its arguments afterwards doesn't matter, and a
 * value that can't be encoded fails that call alone.
 */
import type { TroupeError } from "@troupe/base";
import { type ClientFrame, type Encoding, encodeClientFrame, limits, type Message } from "@troupe/protocol";
import { abandoned, clientErrors } from "../errors.ts";
import { checkSize } from "../message-size.ts";
import { ActionResult } from "../stream/action-result.ts";
import { ItemQueue } from "../stream/item-queue.ts";
import { ResultStream } from "../stream/result-stream.ts";
import type { QueueSend } from "../transport.ts";
import type { ActionCall } from "../types.ts";

/** An encoded call on its way. */
export interface QueuedCall {
  readonly id: number;
  /** For messages: `Action "increment"`. */
  readonly what: string;
  /** It may be sent again whatever became of it. */
  readonly repeatable: boolean;
  readonly data: Message;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: TroupeError) => void;
  /** Stops listening to the caller's signal. */
  readonly release: () => void;
  /** Its caller waits no longer. */
  abandoned: boolean;
  /** Its result comes in items: they go here. */
  items: ItemQueue | undefined;
}

/** The calls of one connection. */
export class CallQueue {
  readonly #encoding: Encoding;
  readonly #nextId: () => number;
  readonly #control: (frame: ClientFrame) => void;
  /** In the order of their calls, which is the order of their ids. */
  #queued = new Map<number, QueuedCall>();
  #sent = new Map<number, QueuedCall>();
  #size = 0;

  /** `control` sends what is said of a call that was sent, if the link is there. */
  constructor(encoding: Encoding, nextId: () => number, control: (frame: ClientFrame) => void) {
    this.#encoding = encoding;
    this.#nextId = nextId;
    this.#control = control;
  }

  /** The answer to a call that is queued now. */
  add(call: ActionCall | QueueSend, signals: readonly (AbortSignal | undefined)[]): ActionResult {
    return new ActionResult((resolve, reject) => {
      const what = "body" in call ? `The message for queue "${call.name}"` : `Action "${call.name}"`;
      const fired = signals.find((signal) => signal?.aborted === true);
      if (fired !== undefined) throw abandoned(what, "not_sent", fired.reason);
      const id = this.#nextId();
      const data = this.#encode(id, call);
      const release = this.#listen(id, signals);
      const repeatable = "ticket" in call;
      this.#queued.set(id, {
        ...{ id, what, repeatable, data, resolve, reject, release },
        ...{ abandoned: false, items: undefined },
      });
      this.#size += data.length;
    });
  }

  /** The oldest queued call. */
  get first(): QueuedCall | undefined {
    return this.#queued.values().next().value;
  }

  /** The oldest queued call was handed to a link. */
  markSent(call: QueuedCall): void {
    this.#queued.delete(call.id);
    this.#sent.set(call.id, call);
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
    if (call !== undefined) fail(call, error);
    return call !== undefined;
  }

  /** No link comes any more: nobody knows what became of the calls that were sent. */
  failSent(cause: unknown): void {
    for (const call of this.#sent.values()) this.#fail(call, cause);
  }

  /** The link is lost: what may be sent twice goes again, and of all other calls nobody knows what became of them. */
  failLost(cause: unknown): void {
    for (const call of this.#sent.values()) if (!call.repeatable) this.#fail(call, cause);
    this.requeueSent();
  }

  /** What was sent was surely not acted on: it goes again, in the order of the calls. */
  requeueSent(): void {
    for (const call of this.#sent.values()) if (call.abandoned) this.#forget(call);
    this.#queued = inOrder([...this.#sent, ...this.#queued]);
    this.#sent = new Map();
  }

  /** A sent call was surely not acted on: it goes again, in the order of the calls. True when there was such a call. */
  requeue(id: number): boolean {
    const call = this.#sent.get(id);
    if (call === undefined) return false;
    this.#sent.delete(id);
    if (call.abandoned) {
      this.#forget(call);
      return true;
    }
    this.#queued = inOrder([...this.#queued, [id, call] as const]);
    return true;
  }

  /** Fails every call that wasn't sent. */
  failQueued(error: TroupeError): void {
    for (const call of this.#queued.values()) {
      this.#forget(call);
      call.reject(error);
    }
  }

  #encode(id: number, call: ActionCall | QueueSend): Message {
    // Calls that were sent and then abandoned count too: the actor still works on them.
    if (this.#queued.size + this.#sent.size >= limits.connectionActionsInFlight) {
      throw clientErrors.queueFull("actions", limits.connectionActionsInFlight);
    }
    const data = encodeClientFrame(frameOf(id, call), this.#encoding);
    checkSize(data, limits.incomingMessageBytes);
    if (this.#size > 0 && this.#size + data.length > limits.sendBufferBytes) {
      throw clientErrors.queueFull("bytes of actions", limits.sendBufferBytes);
    }
    return data;
  }

  #listen(id: number, signals: readonly (AbortSignal | undefined)[]): () => void {
    if (signals.every((signal) => signal === undefined)) return ignore;
    const abort = (event: Event): void => this.#abandon(id, (event.target as AbortSignal).reason);
    for (const signal of signals) signal?.addEventListener("abort", abort);
    return () => {
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
    call.reject(abandoned(call.what, queued === undefined ? "unknown" : "not_sent", reason));
    if (queued !== undefined) this.#forget(queued);
  }

  #itemsOf(call: QueuedCall): ItemQueue {
    if (call.items !== undefined) return call.items;
    const { id } = call;
    const items = new ItemQueue({
      taken: (count) => this.#control({ kind: "credit", id, items: count }),
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
    this.#control({ kind: "cancel", id: call.id });
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
    this.#size -= call.data.length;
    call.release();
  }
}

function fail(call: QueuedCall, error: TroupeError): void {
  if (call.items === undefined) call.reject(error);
  else call.items.fail(error);
}

function frameOf(id: number, call: ActionCall | QueueSend): ClientFrame {
  if ("body" in call) return { kind: "send", id, ...call };
  return { kind: "action", id, name: call.name, args: call.args ?? [] };
}

function inOrder(calls: (readonly [number, QueuedCall])[]): Map<number, QueuedCall> {
  return new Map(calls.sort(([one], [other]) => one - other));
}

function ignore(): void {}
