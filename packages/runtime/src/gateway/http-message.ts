/**
 * What a gateway reads and writes over HTTP, whatever the platform's own types are.
 */
import { TroupeError } from "@troupe/base";
import { type Encoding, encodeBody, toWireError } from "@troupe/protocol";
import { gatewayErrors } from "../errors.ts";
import type { ByteSource } from "../ports/raw.ts";

/** A request whose body has been read. */
export interface GatewayRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
  /** Calls `listener` when the client is gone before it had its answer; at once, when that is so. */
  onGone?(listener: () => void): void;
  /** The platform's own request, made when an actor asks for it. */
  toRequest(): Request;
}

/** An answer. */
export interface GatewayResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The values of `set-cookie`, the one header that can't be joined by commas. */
  readonly cookies?: readonly string[];
  readonly body: string | Uint8Array;
  /** What comes instead of `body`, as it is read. Whoever sends the answer cancels it when the client is gone. */
  readonly stream?: ByteSource;
}

/** Takes the answer, once. */
export type Respond = (response: GatewayResponse) => void;

const contentHeaders: Readonly<Record<Encoding, Readonly<Record<string, string>>>> = {
  json: Object.freeze({ "content-type": "application/json" }),
  cbor: Object.freeze({ "content-type": "application/cbor" }),
};

/** An encoded body under 200. */
export function okResponse(body: string | Uint8Array, encoding: Encoding): GatewayResponse {
  return { status: 200, headers: contentHeaders[encoding], body };
}

/** A failure under its status. `logId` finds in the log what its caller doesn't get to see. Never throws. */
export function errorResponse(error: unknown, encoding: Encoding, logId?: string): GatewayResponse {
  const wire = toWireError(error, false, logId);
  const masked = wire.group === "internal" && wire.code === "error";
  return {
    status: masked ? 500 : errorStatus(error),
    headers: { ...contentHeaders[encoding], ...retryAfter(wire.metadata) },
    body: encodeBody({ error: wire }, encoding),
  };
}

/** What HTTP says to whoever called too often: whole seconds. */
function retryAfter(metadata: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof metadata !== "object" || metadata === null || !("retryAfterMs" in metadata)) return undefined;
  const { retryAfterMs } = metadata;
  return typeof retryAfterMs === "number"
    ? { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) }
    : undefined;
}

/** The HTTP status of an error: 500 for what isn't public, can't be read, or names none that an error can have. */
export function errorStatus(error: unknown): number {
  if (!TroupeError.is(error)) return 500;
  try {
    const status = error.statusCode;
    return error.public === true && Number.isInteger(status) && status >= 400 && status < 600 ? status : 500;
  } catch {
    return 500;
  }
}

/** Methods that fetch's Request can't have. */
const foreignMethods: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Code that answers a Request can't be asked otherwise. Throws `gateway.method_not_allowed`. */
export function checkMethod(method: string): void {
  if (foreignMethods.has(method.toUpperCase())) throw gatewayErrors.methodNotAllowed(method);
}

const jsonTypes: ReadonlySet<string> = new Set([
  "",
  "application/json",
  "text/plain",
  "application/x-www-form-urlencoded",
]);

/** What the text of a JSON body may be in: UTF-8, and what is a part of it. */
const charsets: ReadonlySet<string> = new Set(["utf-8", "utf8", "us-ascii"]);

/** The encoding that a request's body has, and its answer gets. Throws `gateway.unsupported_*`. */
export function encodingOf(contentType: string | undefined): Encoding {
  if (contentType === undefined || contentType === "application/json") return "json";
  if (contentType === "application/cbor") return "cbor";
  const [first = "", ...parameters] = contentType.split(";");
  const type = first.trim().toLowerCase();
  if (type === "application/cbor") return "cbor";
  // `curl -d` says that it sends a form, fetch says text/plain. Pages of other origins were refused before this.
  if (!jsonTypes.has(type)) throw gatewayErrors.unsupportedMediaType(type);
  const charset = charsetOf(parameters);
  if (charset !== undefined && !charsets.has(charset)) throw gatewayErrors.unsupportedCharset(charset);
  return "json";
}

/** A body that somebody packed is not unpacked: its size would be anybody's guess. Throws `gateway.unsupported_content_encoding`. */
export function checkContentEncoding(contentEncoding: string | undefined): void {
  if (contentEncoding === undefined) return;
  const packed = contentEncoding
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .find((coding) => coding !== "" && coding !== "identity");
  if (packed !== undefined) throw gatewayErrors.unsupportedContentEncoding(packed);
}

/** In lower case, without quotes. */
function charsetOf(parameters: readonly string[]): string | undefined {
  for (const parameter of parameters) {
    const [name = "", value = ""] = parameter.split("=");
    if (name.trim().toLowerCase() === "charset")
      return value
        .trim()
        .replace(/^"(.*)"$/, "$1")
        .toLowerCase();
  }
  return undefined;
}
