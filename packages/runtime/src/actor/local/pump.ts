/**
 * Pump: what user code yields, item by item, on its way out: the items of a streamed action, the chunks of an answer.
 *
 *   flowing ──the source is done──▶ ended
 *      │ ├── the source, or an item, fails ──▶ ended, with the error
 *      │ └── the reader takes nothing for a minute ──▶ ended, `stream.stalled`
 *      └──── cancel, the activation's end ──▶ ended, the source's `return` is called
 *
 * The source is asked for the next item when its reader has room: credit for it, and less than `streamBytes` of items
 * that the reader hasn't taken. So memory is bounded however slow the reader is, and a source that nobody reads stands
 * still. An item is an output: encoded when it is made, behind everything that the actor said before, and away when
 * what was written before it is durable. When the gate breaks, its sink is told by the outputs that fail.
 *
 * Whatever ends a flow, the source's `return` runs, so that its `finally` does.
 */
import type { TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actorErrors, notRetryable, streamErrors } from "../../errors.ts";
import type { FlowControl, FlowSink } from "../../ports/flow.ts";
import type { Activation } from "./activation.ts";
import type { Running } from "./activation-services.ts";
import { leaveFlow } from "./flow-chain.ts";

/** What a pump is made of. */
export interface PumpParts<T> {
  readonly activation: Activation;
  /** Whose call the source's code is a part of; by default no call's. */
  readonly running?: Running | undefined;
  readonly source: AsyncIterator<T>;
  /** The source may be silent for so long; then `timedOut` says why it is given up. */
  readonly silenceMs: number;
  readonly timedOut: () => unknown;
  /** The flow is over, for `reason` where it was cut short. Once. */
  readonly ended: (reason?: unknown) => void;
}

/** Moves items from a source to a sink. */
export class Pump<T> implements FlowControl {
  readonly #parts: PumpParts<T>;
  readonly #forget: () => void;
  #sink: FlowSink<T> | undefined;
  #credit = 0;
  /** Sizes of the items that the reader hasn't taken, oldest first from `#taken` on. */
  readonly #sizes: number[] = [];
  #taken = 0;
  #bytes = 0;
  /** Wakes the loop: there is room, or the flow has ended. */
  #wake: (() => void) | undefined;
  #asking: number | undefined;
  #watch: TimerHandle | undefined;
  #ended = false;

  /** Throws `actor.stopped` behind the activation's end. */
  constructor(parts: PumpParts<T>) {
    this.#parts = parts;
    const { activation } = parts;
    this.#forget = activation.atEnd(() => this.fail(actorErrors.stopped(activation.record.id)));
  }

  /** Begins to flow. Once. */
  start(sink: FlowSink<T>): void {
    this.#sink = sink;
    if (!this.#ended) void this.#run(sink);
  }

  credit(items: number): void {
    this.#credit += items;
    const until = Math.min(this.#taken + items, this.#sizes.length);
    for (; this.#taken < until; this.#taken += 1) this.#bytes -= this.#sizes[this.#taken] ?? 0;
    if (this.#taken === this.#sizes.length || this.#taken > limits.streamItems) {
      this.#sizes.splice(0, this.#taken);
      this.#taken = 0;
    }
    this.#wake?.();
  }

  cancel(reason: unknown): void {
    this.#end(reason, true);
  }

  /** Ends the flow with an error that its reader gets. */
  fail(cause: unknown): void {
    const sink = this.#sink;
    if (this.#ended) return;
    this.#end(cause, true);
    if (sink !== undefined) this.#parts.activation.emit(sink.error(cause));
  }

  async #run(sink: FlowSink<T>): Promise<void> {
    const { activation, running, source } = this.#parts;
    const next = (): Promise<IteratorResult<T>> => source.next();
    try {
      for (;;) {
        if (!this.#hasRoom) await this.#room();
        if (this.#ended) return;
        this.#ask();
        const result = await activation.enter(next, running);
        this.#asking = undefined;
        if (this.#ended) return;
        if (result.done === true) break;
        const output = sink.item(result.value);
        this.#credit -= 1;
        this.#sizes.push(output.bytes);
        this.#bytes += output.bytes;
        activation.emit(output);
      }
    } catch (cause) {
      this.fail(notRetryable(cause));
      return;
    }
    if (running?.flow !== undefined) {
      await leaveFlow(activation, running);
      if (this.#ended) return;
    }
    this.#end(undefined, false);
    activation.emit(sink.end());
  }

  get #hasRoom(): boolean {
    return this.#credit > 0 && this.#bytes < limits.streamBytes;
  }

  /** Settles when there is room, or the flow has ended. */
  async #room(): Promise<void> {
    const { timers } = this.#parts.activation.env;
    const stalled = (): void => this.fail(streamErrors.stalled(limits.streamStallMs));
    const timer = timers.set(stalled, limits.streamStallMs, { background: true });
    while (!this.#hasRoom && !this.#ended) await new Promise<void>((wake) => (this.#wake = wake));
    timers.clear(timer);
    this.#wake = undefined;
  }

  /** The source is asked for its next item. One timer serves all items: it looks how long the newest wait is. */
  #ask(): void {
    const { activation, silenceMs } = this.#parts;
    if (silenceMs === Infinity) return;
    this.#asking = activation.env.clock.monotonic();
    this.#watch ??= this.#arm(silenceMs);
  }

  #arm(delayMs: number): TimerHandle {
    return this.#parts.activation.env.timers.set(() => this.#look(), delayMs, { background: true });
  }

  #look(): void {
    const { activation, silenceMs, timedOut } = this.#parts;
    const now = activation.env.clock.monotonic();
    const leftMs = (this.#asking ?? now) + silenceMs - now;
    if (leftMs > 0) this.#watch = this.#arm(leftMs);
    else this.fail(timedOut());
  }

  #end(reason: unknown, early: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#forget();
    if (this.#watch !== undefined) this.#parts.activation.env.timers.clear(this.#watch);
    this.#parts.ended(reason);
    this.#wake?.();
    if (early) void this.#giveBack();
  }

  /** The source's `finally` runs. What it throws is nobody's answer any more. Never rejects. */
  async #giveBack(): Promise<void> {
    const { activation, running, source } = this.#parts;
    try {
      await activation.enter(() => source.return?.(), running);
    } catch (cause) {
      activation.log.warn("a stream that was ended early failed while it ended", { cause });
    }
    await leaveFlow(activation, running);
  }
}
