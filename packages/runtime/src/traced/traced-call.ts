/**
 * TracedCall: a call on its way through an actor, as a scope of the relay. Its end event tells where its time went.
 *
 *   came ──── asked ──── began ──── answered ──── left
 *      guardrails   its turn    its code      the gate
 */
import type { TroupeError } from "@troupe/base";
import type { Metadata, Scope } from "@troupe/relay";
import type { FlowControl, FlowSink } from "../ports/flow.ts";
import type { ActionCall, ActorConnection, Reply } from "../ports/instance.ts";
import { Output } from "../ports/output.ts";
import type { Abandoned, CallChain } from "../ports/running-call.ts";
import type { Whole } from "../ports/whole.ts";
import { capturedTrace, endScope, OK, type Tracing } from "./tracing.ts";

/** What a call is told of by the instance that it came to. */
export interface CallWatch {
  readonly tracing: Tracing;
  /** How long the last batch took, milliseconds. */
  readonly storageMs: number;
  /** The call has ended. */
  left(call: TracedCall): void;
}

/** A call with a scope. Its answers are those of the call that it stands for. */
export class TracedCall implements Whole<ActionCall>, Reply {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly send: ActionCall["send"];
  readonly connection: ActorConnection | undefined;
  readonly params: unknown;
  readonly request: (() => Request) | undefined;
  readonly until: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly caller: string | undefined;
  readonly chain: CallChain | undefined;
  readonly depth: number | undefined;
  readonly #call: ActionCall;
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
    this.#call = call;
    this.#watch = watch;
    this.#scope = of.scope;
    this.#told = of.told;
    this.#wakeMs = of.wakeMs;
    this.name = call.name;
    this.args = call.args;
    this.send = call.send;
    this.connection = call.connection;
    this.params = call.params;
    this.request = call.request;
    this.until = call.until;
    this.idempotencyKey = call.idempotencyKey;
    this.caller = call.caller;
    this.chain = call.chain;
    this.depth = call.depth;
    this.#came = of.told ? watch.tracing.env.clock.monotonic() : 0;
  }

  get trace(): string | undefined {
    return capturedTrace(this.#watch.tracing.relay, this.#scope);
  }

  get reply(): Reply {
    return this;
  }

  began(): void {
    if (this.#told) this.#began ??= this.#now;
    this.#call.began?.();
  }

  onAbandoned(listener: Abandoned): void {
    this.#call.onAbandoned?.(listener);
  }

  ok(output: unknown): Output {
    return this.#answer(this.#call.reply.ok(output), output, undefined);
  }

  error(error: unknown): Output {
    return this.#answer(this.#call.reply.error(error), undefined, { error });
  }

  flow(control: FlowControl): FlowSink<unknown> {
    const sink = this.#call.reply.flow(control);
    return {
      item: (item) => sink.item(item),
      end: () => this.#answer(sink.end(), undefined, undefined),
      error: (error) => this.#answer(sink.error(error), undefined, { error }),
    };
  }

  /** The answer leaves, or never will, or nobody made one. Once. */
  left(failure: { readonly error: unknown } | undefined): void {
    if (this.#left) return;
    this.#left = true;
    const { tracing } = this.#watch;
    this.#watch.left(this);
    if (!this.#told) {
      endScope(tracing.relay, this.#scope);
      return;
    }
    const error = failure === undefined ? this.#error : failure.error;
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

  #answer(output: Output, result: unknown, failure: { readonly error: unknown } | undefined): Output {
    if (!this.#told) {
      // Nobody asks when it leaves.
      this.left(undefined);
      return output;
    }
    this.#answered = this.#now;
    this.#result = result;
    // What was thrown may be nothing at all, and is an error all the same.
    this.#error = failure === undefined ? undefined : (failure.error ?? String(failure.error));
    return new TracedOutput(output, this);
  }
}

/** An answer that tells when it leaves. */
class TracedOutput extends Output {
  readonly #output: Output;
  readonly #call: TracedCall;

  constructor(output: Output, call: TracedCall) {
    super();
    this.#output = output;
    this.#call = call;
  }

  get bytes(): number {
    return this.#output.bytes;
  }

  release(): void {
    this.#output.release();
    this.#call.left(undefined);
  }

  fail(error: TroupeError): void {
    this.#output.fail(error);
    this.#call.left({ error });
  }
}
