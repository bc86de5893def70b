/**
 * Calls of a plugin's middleware that have no answer yet.
 *
 *   start() ──▶ waiting ── answer() ──▶ settled
 *                  ├── the time is up ──▶ CancelInvoke, rejected
 *                  ├── the caller's signal fires ──▶ CancelInvoke, rejected
 *                  └── fail() ──▶ rejected: the session is over
 *
 * An answer to a call that is settled is late or doubled, and dropped. Numbers are never used twice.
 */
import { type TimerHandle, type Timers, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { HostFrame } from "@troupe/protocol/plugin/v1";
import { pluginErrors } from "../errors.ts";
import type { Around, Arounds } from "./arounds.ts";
import type { CallCounts } from "./call-counts.ts";
import type { GivenFailures } from "./given-failures.ts";

/** What a call of middleware may say beside its payload. */
export interface InvokeOptions {
  /** Default: `limits.pluginCallTimeoutMs`; `Infinity` for as long as it takes. */
  readonly timeoutMs?: number;
  /** The scope that the call runs in: its propagation value, JSON text. Default: none. */
  readonly scope?: string;
  readonly signal?: AbortSignal;
  /** The rest of the call, for middleware that goes around it. */
  readonly around?: Around;
}

/** A call of middleware, its payload encoded. */
export interface Invocation {
  readonly kind: number;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** The longest time that the wire can say. */
const LONGEST_MS = 2 ** 32 - 1;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Stops the clock, and listening to the caller's signal. */
  readonly release: () => void;
}

/** What became of an answer. */
export type Answered = "settled" | "late" | "never_asked";

/** What the calls of one session share with it. */
export interface InvocationParts {
  readonly arounds: Arounds;
  /** A call begins, in the async context of whoever made it. */
  readonly began: (invoke: number, scope: string) => void;
  readonly counts: CallCounts;
  readonly given: GivenFailures;
}

/** The calls of one session. */
export class Invocations {
  readonly #timers: Timers;
  readonly #send: (frame: HostFrame) => void;
  readonly #arounds: Arounds;
  readonly #began: (invoke: number, scope: string) => void;
  readonly #counts: CallCounts;
  readonly #given: GivenFailures;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(timers: Timers, send: (frame: HostFrame) => void, parts: InvocationParts) {
    this.#timers = timers;
    this.#send = send;
    this.#arounds = parts.arounds;
    this.#began = parts.began;
    this.#counts = parts.counts;
    this.#given = parts.given;
  }

  /** The answer. Rejects with the plugin's error, or `plugin.*`. */
  start(call: Invocation, options: InvokeOptions): Promise<unknown> {
    const { timeoutMs = limits.pluginCallTimeoutMs, scope = "", signal, around } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) throw pluginErrors.callAborted(call.name, signal.reason);
      if (this.#waiting.size >= limits.pluginCalls) throw pluginErrors.tooManyCalls(limits.pluginCalls);
      this.#last += 1;
      const invoke = this.#last;
      const timedOut = () => this.#cancel(invoke, pluginErrors.callTimedOut(call.name, timeoutMs));
      const aborted = () => this.#cancel(invoke, pluginErrors.callAborted(call.name, signal?.reason));
      const limited = timeoutMs !== Infinity;
      const timer: TimerHandle | undefined = limited ? this.#timers.set(timedOut, timeoutMs) : undefined;
      signal?.addEventListener("abort", aborted, { once: true });
      const release = () => {
        if (timer !== undefined) this.#timers.clear(timer);
        signal?.removeEventListener("abort", aborted);
      };
      const failed = (error: unknown): void => {
        // A guardrail that says no by throwing has done what it is there for; what failed below it isn't its own.
        if (!isRejection(error) && !this.#given.has(invoke, error)) this.#counts.failures += 1;
        reject(error);
      };
      this.#counts.calls += 1;
      this.#waiting.set(invoke, { resolve, reject: failed, release });
      this.#began(invoke, scope);
      if (around !== undefined) this.#arounds.begin(invoke, around);
      const leftMs = limited ? Math.min(Math.ceil(timeoutMs), LONGEST_MS) : 0;
      const value = { invoke, timeoutMs: leftMs, scope, ...call };
      this.#send({ body: { $case: "invoke", value } });
    });
  }

  /** The plugin answered: `read` gives the value, or throws the error. It is called now, while its bytes are there. */
  answer(invoke: number, read: () => unknown): Answered {
    const waiting = this.#take(invoke);
    if (waiting === undefined) return this.made(invoke) ? "late" : "never_asked";
    try {
      waiting.resolve(read());
    } catch (error) {
      waiting.reject(error);
    }
    return "settled";
  }

  /** Whether the number was ever given. */
  made(invoke: number): boolean {
    return invoke > 0 && invoke <= this.#last;
  }

  /** The session is over. */
  fail(error: TroupeError): void {
    for (const invoke of this.#waiting.keys()) this.#take(invoke)?.reject(error);
  }

  #cancel(invoke: number, error: TroupeError): void {
    const waiting = this.#take(invoke);
    if (waiting === undefined) return;
    this.#arounds.end(invoke, error);
    this.#send({ body: { $case: "cancelInvoke", value: { invoke } } });
    waiting.reject(error);
  }

  #take(invoke: number): Waiting | undefined {
    const waiting = this.#waiting.get(invoke);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(invoke);
    waiting.release();
    return waiting;
  }
}

/** A session serves any host, and knows the relay by its word alone. */
function isRejection(error: unknown): boolean {
  return TroupeError.is(error) && error.group === "relay" && error.code === "guardrail_rejected";
}
