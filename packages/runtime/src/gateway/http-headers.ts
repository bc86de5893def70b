/**
 * Headers on their way through the gateway: what belongs to one hop stays there, and what no server can send is refused.
 */
import { limits } from "@troupe/protocol";
import { requestErrors } from "../errors.ts";
import type { HeaderList } from "../ports/raw.ts";

/** About one connection, not about the request: RFC 9110, 7.6.1. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** What begins with this is the gateway's. */
const OWN_PREFIX = "troupe-";
/** Fetch lets control characters pass that HTTP forbids, and servers throw at. */
const forbiddenInValues = /[^\t\u0020-\u007e\u0080-\u00ff]/;

/** What an actor gets of a request's headers. */
export function requestHeaders(headers: HeaderList, hidden: string | undefined): HeaderList {
  return headers.filter(([given]) => {
    const name = given.toLowerCase();
    return !hopByHop.has(name) && !name.startsWith(OWN_PREFIX) && name !== hidden && name !== "expect";
  });
}

/** What a client gets of an answer's headers, and the length that they declare. Throws `request.bad_response`. */
export function answerHeaders(
  status: number,
  headers: HeaderList,
  cors: Readonly<Record<string, string>> | undefined,
): { headers: HeaderList; length: number | undefined } {
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw requestErrors.badResponse(`its status is ${String(status)}`);
  const kept: [string, string][] = [];
  let length: number | undefined;
  let bytes = 0;
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    if (hopByHop.has(name) || name.startsWith(OWN_PREFIX)) continue;
    if (cors !== undefined && name === "access-control-allow-origin") continue;
    if (forbiddenInValues.test(value))
      throw requestErrors.badResponse(`its header ${name} has a character that HTTP forbids`);
    if (name === "content-length") length = declaredLength(value);
    bytes += name.length + value.length;
    kept.push([name, value]);
  }
  if (bytes > limits.headerBytes)
    throw requestErrors.badResponse(`its headers have ${bytes} bytes; the limit is ${limits.headerBytes}`);
  return { headers: cors === undefined ? kept : [...kept, ...exposed(cors)], length };
}

/** A page may read every header of an actor's answer. */
function exposed(cors: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries({ ...cors, "access-control-expose-headers": "*" });
}

function declaredLength(value: string): number {
  const length = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(length))
    throw requestErrors.badResponse("its content-length is no number");
  return length;
}

/** What a browser is told that asks whether a page may send a request; nothing for any other request. */
export function preflightOf(request: {
  readonly method: string;
  header(name: string): string | undefined;
}): Readonly<Record<string, string>> | undefined {
  const method = request.header("access-control-request-method");
  if (request.method !== "OPTIONS" || method === undefined) return undefined;
  const headers = request.header("access-control-request-headers");
  return {
    "access-control-allow-methods": method,
    ...(headers === undefined ? {} : { "access-control-allow-headers": headers }),
    "access-control-max-age": "600",
  };
}
