/** RecordedCall: a call on its way through an actor, with the moments that people ask for. */
import { type Env, TroupeError } from "@troupe/base";
import type { FlowControl, FlowSink } from "../ports/flow.ts";
import type { ActionCall, ActorConnection, Reply } from "../ports/instance.ts";
import { Output } from "../ports/output.ts";
import type { Abandoned, CallChain } from "../ports/running-call.ts";
import type { Whole } from "../ports/whole.ts";
import type { ActorRecorder } from "./recorder.ts";

/** A call that is measured. Its answers are those of the call that it stands for. */
export class RecordedCall implements Whole<ActionCall>, Reply {
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
  readonly trace: string | undefined;
  readonly #call: ActionCall;
  readonly #env: Pick<Env, "clock">;
  readonly #recorder: ActorRecorder;
  readonly #at: number;
  readonly #came: number;
  #began: number | undefined;
  #answered = 0;
  #outcome = "ok";
  /** Nothing was there to wait for when the answer was made. */
  #released = false;

  constructor(call: ActionCall, env: Pick<Env, "clock">, recorder: ActorRecorder) {
    this.#call = call;
    this.#env = env;
    this.#recorder = recorder;
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
    this.trace = call.trace;
    this.#at = env.clock.now();
    this.#came = env.clock.monotonic();
  }

  get reply(): Reply {
    return this;
  }

  began(): void {
    this.#began ??= this.#env.clock.monotonic();
    this.#call.began?.();
  }

  onAbandoned(listener: Abandoned): void {
    this.#call.onAbandoned?.(listener);
  }

  ok(output: unknown): Output {
    return this.#answer(this.#call.reply.ok(output), "ok");
  }

  error(error: unknown): Output {
    return this.#answer(this.#call.reply.error(error), codeOf(error));
  }

  flow(control: FlowControl): FlowSink<unknown> {
    const sink = this.#call.reply.flow(control);
    return {
      item: (item) => sink.item(item),
      end: () => this.#answer(sink.end(), "ok"),
      error: (cause) => this.#answer(sink.error(cause), codeOf(cause)),
    };
  }

  /** The answer leaves, or never will. Once. */
  left(failure: TroupeError | undefined): void {
    if (this.#released) return;
    this.#released = true;
    const now = this.#env.clock.monotonic();
    const began = this.#began ?? this.#answered;
    const gateMs = now - this.#answered;
    this.#recorder.called({
      kind: this.send === undefined ? "action" : "send",
      action: this.name,
      at: this.#at,
      ...(this.connection === undefined ? {} : { connection: this.connection.id }),
      queueMs: began - this.#came,
      runMs: this.#answered - began,
      gateMs,
      storageMs: gateMs > 0 ? Math.min(this.#recorder.storageMs, gateMs) : 0,
      outcome: failure === undefined ? this.#outcome : codeOf(failure),
    });
  }

  #answer(output: Output, outcome: string): Output {
    this.#answered = this.#env.clock.monotonic();
    this.#outcome = outcome;
    return new RecordedOutput(output, this);
  }
}

/** An answer that tells when it leaves. */
class RecordedOutput extends Output {
  readonly #output: Output;
  readonly #call: RecordedCall;

  constructor(output: Output, call: RecordedCall) {
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
    this.#call.left(error);
  }
}

/** What may be told of an error: its code, never its text. */
function codeOf(error: unknown): string {
  if (!TroupeError.is(error)) return "internal.error";
  try {
    return `${error.group}.${error.code}`;
  } catch {
    return "internal.error";
  }
}
