/**
 * TracedCall: a call on its way through an actor, as a scope of the relay. Its end event tells where its time went.
 *
 *   came ──── asked ──── began ──── answered ──── left
 *      guardrails   its turn    its code      the gate
 */
import type { TroupeError } from "@troupe/base";
import type { Metadata, Scope } from "@troupe/relay";
import type { ActionCall } from "../ports/instance.ts";
import type { Output } from "../ports/output.ts";
import { type CallFailure, WatchedCall, WatchedOutput } from "../watched/watched-call.ts";
import { capturedTrace, endScope, OK, type Tracing } from "./tracing.ts";

/** What a call is told of by the instance that it came to. */
export interface CallWatch {
  readonly tracing: Tracing;
  /** How long the last batch took, milliseconds. */
  readonly storageMs: number;
  /** The call has ended. */
  left(call: TracedCall): void;
}

/** A call with a scope. */
export class TracedCall extends WatchedCall {
  readonly #watch: CallWatch;
  readonly #scope: Scope;
  /** False: nobody heard of its start, so that nobody is told of its times. */
  readonly #told: boolean;
  readonly #came: number;
  readonly #wakeMs: number | undefined;
  #began: number | undefined;
  #answered = 0;
  #result: unknown;
  #error: unknown;
  #left = false;

  constructor(
    call: ActionCall,
    watch: CallWatch,
    of: { readonly scope: Scope; readonly told: boolean; readonly wakeMs: number | undefined },
  ) {
    super(call);
    this.#watch = watch;
    this.#scope = of.scope;
    this.#told = of.told;
    this.#wakeMs = of.wakeMs;
    this.#came = of.told ? watch.tracing.env.clock.monotonic() : 0;
  }

  override get trace(): string | undefined {
    return capturedTrace(this.#watch.tracing.relay, this.#scope);
  }

  override began(): void {
    if (this.#told) this.#began ??= this.#now;
    super.began();
  }

  /** The answer leaves, or never will, or nobody made one. Once. */
  override left(failure: TroupeError | undefined): void {
    if (this.#left) return;
    this.#left = true;
    const { tracing } = this.#watch;
    this.#watch.left(this);
    if (!this.#told) {
      endScope(tracing.relay, this.#scope);
      return;
    }
    const error = failure ?? this.#error;
    const output = tracing.payloads && error === undefined ? this.#result : undefined;
    const how =
      error === undefined
        ? { output, metadata: { ...OK, ...this.#times } }
        : { error, metadata: this.#times };
    endScope(tracing.relay, this.#scope, how);
  }

  get #now(): number {
    return this.#watch.tracing.env.clock.monotonic();
  }

  /** Milliseconds. Without an answer there was no gate to wait at. */
  get #times(): Metadata {
    const now = this.#now;
    const answered = this.#answered === 0 ? now : this.#answered;
    const began = this.#began ?? answered;
    const gateMs = now - answered;
    return {
      "troupe.queue_wait_ms": began - this.#came,
      "troupe.run_ms": answered - began,
      "troupe.gate_wait_ms": gateMs,
      "troupe.storage_ms": gateMs > 0 ? Math.min(this.#watch.storageMs, gateMs) : 0,
      ...(this.#wakeMs === undefined ? {} : { "troupe.wake_ms": this.#wakeMs }),
    };
  }

  protected override answered(output: Output, result: unknown, failure: CallFailure | undefined): Output {
    if (!this.#told) {
      // Nobody asks when it leaves.
      this.left(undefined);
      return output;
    }
    this.#answered = this.#now;
    this.#result = result;
    this.#error = failure === undefined ? undefined : (failure.error ?? String(failure.error));
    return new WatchedOutput(output, this);
  }
}
