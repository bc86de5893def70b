/**
 * Which failures of `fetch` happened before a byte of the request left: the name wasn't found or no connection was
 * made. Everything else may have reached the other side. Browsers don't say; there it is always "may have".
 */
const CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** System calls that come before the first byte. */
const SYSCALLS: ReadonlySet<string> = new Set(["connect", "getaddrinfo"]);
/** Causes nest: TypeError, AggregateError, system error. A limit, because a cause may be its own. */
const DEEPEST_CAUSE = 8;

/** True when nothing of the request has left. */
export function isNotSent(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < DEEPEST_CAUSE; depth += 1) {
    if (typeof cause !== "object" || cause === null) return false;
    if ("code" in cause && typeof cause.code === "string" && CODES.has(cause.code)) return true;
    if ("syscall" in cause && typeof cause.syscall === "string" && SYSCALLS.has(cause.syscall)) return true;
    if (!("cause" in cause)) return false;
    cause = cause.cause;
  }
  return false;
}
