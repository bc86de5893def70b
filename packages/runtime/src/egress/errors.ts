/** Errors of the way out, by `group.code`. The text says what happened and, where there is something to do, what. */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(statusCode: number, code: string, message: string, options: TroupeErrorOptions = {}) {
  return new TroupeError("network", code, message, { statusCode, ...options });
}

/** Group `network`. */
export const networkErrors = {
  denied: (target: string, why: string) =>
    error(403, "denied", `${target} can't be reached: ${why}`, { metadata: { target } }),
  closed: () => error(503, "closed", "Who asked has ended"),
  unresolved: (host: string, cause: unknown) =>
    error(502, "unresolved", `${host} has no address: ${textOf(cause)}`, { cause }),
  failed: (target: string, cause: unknown) =>
    TroupeError.is(cause) ? cause : error(502, "failed", `${target}: ${textOf(cause)}`, { cause }),
  responseTooLarge: (limit: number) =>
    error(502, "response_too_large", `The answer is longer than ${limit} bytes`, { metadata: { limit } }),
  tooManyRedirects: (limit: number) =>
    error(502, "too_many_redirects", `More than ${limit} redirects`, { metadata: { limit } }),
  timedOut: (timeoutMs: number) =>
    error(504, "timed_out", `No answer within ${timeoutMs} ms`, { metadata: { timeoutMs } }),
};

/** Throws for a policy that is none. */
export function invalidPolicy(what: string): TroupeError {
  return new TroupeError("config", "invalid_option", `network: ${what}`);
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
