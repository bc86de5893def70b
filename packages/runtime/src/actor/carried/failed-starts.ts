/**
 * Starts that failed, of actors whose code is loaded anew for each: one that fails again and again isn't tried at every call.
 *
 *   works ──fails──▶ once ──fails──▶ again: 1 s, 2 s, 4 s … 30 s without a try ──works, or is reloaded──▶ forgotten
 *
 * The first failure costs no wait, so that code that was mended is tried at once. Meanwhile callers get what the last start
 * failed with, and how long it is until the next may be tried (`metadata.retryAfterMs`). By address: an actor whose
 * creation fails has another id each time. Nothing of it is durable.
 */
import { type Env, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { ActorAddress } from "../../ports/directory.ts";

interface Failed {
  readonly times: number;
  /** Monotonic. */
  readonly until: number;
  readonly cause: unknown;
}

/** Those of one definition's actors. */
export class FailedStarts {
  readonly #clock: Pick<Env["clock"], "monotonic">;
  /** The one that failed longest ago comes first. */
  readonly #failed = new Map<string, Failed>();

  constructor(clock: Pick<Env["clock"], "monotonic">) {
    this.#clock = clock;
  }

  /** Throws what the last start failed with when it is too early for the next. */
  check(address: ActorAddress): void {
    const failed = this.#failed.get(pathOf(address));
    const waitMs = failed === undefined ? 0 : failed.until - this.#clock.monotonic();
    if (failed !== undefined && waitMs > 0) throw waiting(failed.cause, Math.ceil(waitMs));
  }

  failed(address: ActorAddress, cause: unknown): void {
    const path = pathOf(address);
    const times = (this.#failed.get(path)?.times ?? 0) + 1;
    const until = this.#clock.monotonic() + waitAfter(times);
    this.#failed.delete(path);
    this.#failed.set(path, { times, until, cause });
    const [first] = this.#failed.keys();
    if (this.#failed.size > limits.failedStarts && first !== undefined) this.#failed.delete(first);
  }

  forget(address: ActorAddress): void {
    this.#failed.delete(pathOf(address));
  }
}

function waitAfter(times: number): number {
  if (times < 2) return 0;
  return Math.min(limits.failedStartWaitMs * 2 ** Math.min(times - 2, 32), limits.failedStartLongestWaitMs);
}

function waiting(cause: unknown, retryAfterMs: number): unknown {
  if (!TroupeError.is(cause)) return cause;
  const { group, code, message, statusCode, retryable } = cause;
  const known = typeof cause.metadata === "object" && cause.metadata !== null ? cause.metadata : {};
  const metadata = { ...known, retryAfterMs };
  return new TroupeError(group, code, message, {
    statusCode,
    retryable,
    public: cause.public,
    metadata,
    cause,
  });
}

function pathOf({ namespace, name, key }: ActorAddress): string {
  return JSON.stringify([namespace, name, ...key]);
}
