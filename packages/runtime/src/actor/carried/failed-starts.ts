/**
 * Starts that failed, of actors whose code is loaded anew for each: one that fails again and again isn't tried at every call, but
 * waits (`RepeatedFailures`) until a start works, or its code is reloaded.
 *
 * Meanwhile callers get what the last start failed with, and how long it is until the next may be tried
 * (`metadata.retryAfterMs`). By address: an actor whose creation fails has another id each time.
 */
import { type Env, RepeatedFailures, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { ActorAddress } from "../../ports/directory.ts";

/** Those of one definition's actors. */
export class FailedStarts {
  readonly #failures: RepeatedFailures<unknown>;

  constructor(clock: Pick<Env["clock"], "monotonic">) {
    this.#failures = new RepeatedFailures({
      clock,
      firstMs: limits.failedStartWaitMs,
      longestMs: limits.failedStartLongestWaitMs,
      most: limits.failedStarts,
    });
  }

  /** Throws what the last start failed with when it is too early for the next. */
  check(address: ActorAddress): void {
    const waits = this.#failures.waiting(pathOf(address));
    if (waits !== undefined) throw waiting(waits.cause, waits.waitMs);
  }

  failed(address: ActorAddress, cause: unknown): void {
    this.#failures.add(pathOf(address), cause);
  }

  forget(address: ActorAddress): void {
    this.#failures.forget(pathOf(address));
  }
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
