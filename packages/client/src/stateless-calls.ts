/**
 * The stateless calls of one client: action, resolve and create without a connection.
 *
 * A call makes attempts until one answers (retry.ts). Its caller may stop waiting at any moment, by a signal or by
 * disposing of the client; the call then rejects at once and says whether it may have happened. What an attempt does
 * afterwards is ignored.
 *
 * Over a network only so many attempts are under way at once (call-slots.ts): a call that waits for its turn was not
 * sent, and one that waits before it is repeated has no slot.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { CallSlots } from "./call-slots.ts";
import type { ClientEnv } from "./env.ts";
import { abandoned, type CallOutcome, clientErrors } from "./errors.ts";
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
  readonly params: () => unknown;
  /** Makes one attempt. */
  readonly send: (params: unknown, signal: AbortSignal) => Promise<T>;
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
      const waiting = new Waiting(call, reject);
      this.#waiting.add(waiting);
      const attempts = retry(() => waiting.attempt(call, slots), {
        env: this.#env,
        policy: this.#policy,
        signal: waiting.signal,
        idempotent: call.idempotent,
      });
      attempts.then(resolve, reject).finally(() => {
        waiting.release();
        this.#waiting.delete(waiting);
      });
    });
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
  readonly #onAbort = (event: Event): void => this.abandon((event.target as AbortSignal).reason);
  /** Whether what was done so far may have had an effect. */
  #outcome: CallOutcome = "not_sent";

  constructor(call: StatelessCall<unknown>, reject: (error: TroupeError) => void) {
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

  abandon(reason: unknown): void {
    this.#reject(abandoned(this.#what, this.#outcome, reason));
    this.#controller.abort(reason);
  }

  release(): void {
    for (const signal of this.#signals) signal?.removeEventListener("abort", this.#onAbort);
  }

  async #send<T>(call: StatelessCall<T>): Promise<T> {
    const params = await paramsOf(call);
    // Abandoned meanwhile: the caller has its error, which says that nothing was sent.
    this.signal.throwIfAborted();
    this.#outcome = "unknown";
    try {
      return await call.send(params, this.signal);
    } catch (error) {
      if (TroupeError.is(error) && error.retryable) this.#outcome = "not_sent";
      throw error;
    }
  }
}

async function paramsOf(call: StatelessCall<unknown>): Promise<unknown> {
  try {
    return await call.params();
  } catch (error) {
    throw clientErrors.paramsFailed(error);
  }
}
