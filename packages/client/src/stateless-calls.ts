/**
 * The stateless calls of one client: action, resolve and create without a connection.
 *
 * A call makes attempts until one answers (retry.ts). Its caller may stop waiting at any moment, by a signal, by a
 * deadline or by disposing of the client; the call then rejects at once and says whether it may have happened. What an
 * attempt does afterwards is ignored.
 *
 * Over a network only so many attempts are under way at once (call-slots.ts): a call that waits for its turn was not
 * sent, and one that waits before it is repeated has no slot.
 */
import { type TimerHandle, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { CallSlots } from "./call-slots.ts";
import type { ClientEnv } from "./env.ts";
import {
  abandoned,
  type CallOutcome,
  clientErrors,
  Deadline,
  isOutcomeUnknown,
  ownDeadline,
} from "./errors.ts";
import { type RetryPolicy, retry } from "./retry.ts";
import { ActionResult } from "./stream/action-result.ts";

/** One call, told in parts. */
export interface StatelessCall<T> {
  /** For messages: `Action "increment"`. */
  readonly what: string;
  readonly signals: readonly (AbortSignal | undefined)[];
  /** True when it may be made twice without harm. */
  readonly idempotent: boolean;
  /** True when its answer is waited for at the other end, maybe for long: such calls take turns among themselves. */
  readonly waits?: boolean;
  /** All attempts together may take this long, milliseconds; absent for no limit. */
  readonly timeoutMs?: number | undefined;
  readonly params: () => unknown;
  /** Makes one attempt. */
  readonly send: (attempt: Attempt) => Promise<T>;
}

/** What one attempt is made with. */
export interface Attempt {
  readonly params: unknown;
  readonly signal: AbortSignal;
  /** What is left of the call's time. */
  readonly timeoutMs: number | undefined;
}

/** Runs the stateless calls of one client. */
export class StatelessCalls {
  readonly #env: ClientEnv;
  readonly #policy: RetryPolicy;
  readonly #waiting = new Set<Waiting>();
  readonly #slots: CallSlots;
  /** What somebody waits for may depend on a call that must not wait for its turn behind it. */
  readonly #waitSlots: CallSlots;
  #disposed = false;

  /** `attemptsAtOnce` is what the transport says of itself. */
  constructor(env: ClientEnv, policy: RetryPolicy, attemptsAtOnce = Infinity) {
    this.#env = env;
    this.#policy = policy;
    this.#slots = new CallSlots(attemptsAtOnce);
    this.#waitSlots = new CallSlots(attemptsAtOnce);
  }

  /** Makes a call. Rejects with TroupeErrors alone, but for what a transport of the user's throws by mistake. */
  run<T>(call: StatelessCall<T>): ActionResult<T> {
    if (this.#disposed) return new ActionResult((_, reject) => reject(clientErrors.disposed()));
    const fired = call.signals.find((signal) => signal?.aborted === true);
    if (fired !== undefined)
      return new ActionResult((_, reject) => reject(abandoned(call.what, "not_sent", fired.reason)));
    const slots = call.waits === true ? this.#waitSlots : this.#slots;
    if (slots.waiting >= limits.clientCallsWaiting)
      return new ActionResult((_, reject) =>
        reject(clientErrors.queueFull("calls", limits.clientCallsWaiting)),
      );
    return new ActionResult((resolve, reject) => {
      const waiting = new Waiting(call, reject, this.#env);
      this.#waiting.add(waiting);
      const attempts = retry(() => waiting.attempt(call, slots), {
        env: this.#env,
        policy: this.#policyOf(call),
        signal: waiting.signal,
        idempotent: call.idempotent,
      });
      attempts
        .then(resolve, (error: unknown) => reject(waiting.ofAll(error)))
        .finally(() => {
          waiting.release();
          this.#waiting.delete(waiting);
        });
    });
  }

  /** A caller who says how long it waits, and that a repetition does no harm, has it repeated for so long. */
  #policyOf({ idempotent, timeoutMs }: StatelessCall<unknown>): RetryPolicy {
    if (timeoutMs === undefined || !idempotent) return this.#policy;
    return { ...this.#policy, deadlineMs: timeoutMs };
  }

  /** Ends the wait of every call; later ones are refused. */
  dispose(): void {
    this.#disposed = true;
    for (const waiting of this.#waiting) waiting.abandon(clientErrors.disposed());
  }
}

/** A call that somebody waits for. */
class Waiting {
  readonly #what: string;
  readonly #signals: readonly (AbortSignal | undefined)[];
  readonly #reject: (error: TroupeError) => void;
  readonly #controller = new AbortController();
  readonly #env: ClientEnv;
  readonly #timeoutMs: number | undefined;
  /** Monotonic; Infinity for never. */
  readonly #until: number;
  readonly #timer: TimerHandle | undefined;
  readonly #onAbort = (event: Event): void => this.abandon((event.target as AbortSignal).reason);
  /** Whether what was done so far may have had an effect. */
  #outcome: CallOutcome = "not_sent";
  /** An attempt's answer was lost: whatever a later one comes to, it may have had an effect. */
  #lost = false;

  constructor(call: StatelessCall<unknown>, reject: (error: TroupeError) => void, env: ClientEnv) {
    this.#env = env;
    this.#timeoutMs = call.timeoutMs;
    this.#until = call.timeoutMs === undefined ? Infinity : env.clock.monotonic() + call.timeoutMs;
    this.#timer = this.#arm(call.timeoutMs);
    this.#what = call.what;
    this.#signals = call.signals;
    this.#reject = reject;
    for (const signal of call.signals) signal?.addEventListener("abort", this.#onAbort);
  }

  /** Fires when nobody waits any longer. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Makes one attempt, when it has its turn. */
  async attempt<T>(call: StatelessCall<T>, slots: CallSlots): Promise<T> {
    const turn = slots.take(this.signal);
    if (turn !== undefined) await turn;
    try {
      return await this.#send(call);
    } finally {
      slots.give();
    }
  }

  /** The error of the last attempt, as the error of all. */
  ofAll(error: unknown): unknown {
    const harmless = TroupeError.is(error) && error.retryable;
    return this.#lost && harmless ? clientErrors.outcomeUnknown(this.#what, error) : error;
  }

  abandon(reason: unknown): void {
    const error = abandoned(this.#what, this.#outcome, reason);
    this.#reject(error);
    this.#controller.abort(reason instanceof Deadline ? error : reason);
  }

  release(): void {
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
    for (const signal of this.#signals) signal?.removeEventListener("abort", this.#onAbort);
  }

  async #send<T>(call: StatelessCall<T>): Promise<T> {
    const params = await paramsOf(call);
    // Abandoned meanwhile: the caller has its error, which says that nothing was sent.
    this.signal.throwIfAborted();
    this.#outcome = "unknown";
    try {
      return await call.send({ params, signal: this.signal, timeoutMs: this.#leftMs() });
    } catch (error) {
      if (isOutcomeUnknown(error)) this.#lost = true;
      else if (TroupeError.is(error) && error.retryable && !this.#lost) this.#outcome = "not_sent";
      throw ownDeadline(this.#what, this.#timeoutMs, error);
    }
  }

  #arm(timeoutMs: number | undefined): TimerHandle | undefined {
    if (timeoutMs === undefined) return undefined;
    return this.#env.timers.set(() => this.abandon(new Deadline(timeoutMs)), timeoutMs);
  }

  #leftMs(): number | undefined {
    return this.#until === Infinity ? undefined : Math.max(0, this.#until - this.#env.clock.monotonic());
  }
}

async function paramsOf(call: StatelessCall<unknown>): Promise<unknown> {
  try {
    return await call.params();
  } catch (error) {
    throw clientErrors.paramsFailed(error);
  }
}
