/**
 * What a gateway reads and writes over HTTP, whatever the platform's own types are.
 */
import { TroupeError } from "@troupe/base";
import { type Encoding, encodeBody, toWireError } from "@troupe/protocol";
import { gatewayErrors } from "../errors.ts";

/** A request whose body has been read. */
export interface GatewayRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
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
    headers: contentHeaders[encoding],
    body: encodeBody({ error: wire }, encoding),
  };
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

const jsonTypes: ReadonlySet<string> = new Set([
  "",
  "application/json",
  "text/plain",
  "application/x-www-form-urlencoded",
]);

/** The encoding that a request's body has, and its answer gets. Throws `gateway.unsupported_media_type`. */
export function encodingOf(contentType: string | undefined): Encoding {
  if (contentType === undefined || contentType === "application/json") return "json";
  if (contentType === "application/cbor") return "cbor";
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  // `curl -d` says that it sends a form, fetch says text/plain. Pages of other origins were refused before this.
  if (jsonTypes.has(type)) return "json";
  if (type === "application/cbor") return "cbor";
  throw gatewayErrors.unsupportedMediaType(type);
}
