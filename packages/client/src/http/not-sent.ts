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

/** Ports that every `fetch` refuses before it connects: https://fetch.spec.whatwg.org/#port-blocking. */
const BLOCKED_PORTS: ReadonlySet<number> = new Set([
  ...[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
    104,
  ],
  ...[
    109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
    526,
  ],
  ...[
    530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659,
    4045,
  ],
  ...[4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
]);

/** True when nothing of the request to `url` has left. */
export function isNotSent(error: unknown, url: string): boolean {
  return failedBefore(error) || isBlocked(error, url);
}

/** A refused port is a TypeError without any system's error behind it; a `fetch` of one's own may well connect. */
function isBlocked(error: unknown, url: string): boolean {
  if (!(error instanceof TypeError) || !BLOCKED_PORTS.has(Number(new URL(url).port || Number.NaN)))
    return false;
  const { cause } = error;
  return !(typeof cause === "object" && cause !== null && ("code" in cause || "syscall" in cause));
}

function failedBefore(error: unknown): boolean {
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
