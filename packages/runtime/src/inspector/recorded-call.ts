/** RecordedCall: a call on its way through an actor, with the moments that people ask for. */
import { type Env, TroupeError } from "@troupe/base";
import type { ActionCall } from "../ports/instance.ts";
import type { Output } from "../ports/output.ts";
import { type CallFailure, WatchedCall, WatchedOutput } from "../watched/watched-call.ts";
import type { ActorRecorder } from "./recorder.ts";

/** A call that is measured. */
export class RecordedCall extends WatchedCall {
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
    super(call);
    this.#env = env;
    this.#recorder = recorder;
    this.#at = env.clock.now();
    this.#came = env.clock.monotonic();
  }

  override began(): void {
    this.#began ??= this.#env.clock.monotonic();
    super.began();
  }

  /** The answer leaves, or never will. Once. */
  override left(failure: TroupeError | undefined): void {
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

  protected override answered(output: Output, _result: unknown, failure: CallFailure | undefined): Output {
    this.#answered = this.#env.clock.monotonic();
    this.#outcome = failure === undefined ? "ok" : codeOf(failure.error);
    return new WatchedOutput(output, this);
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
