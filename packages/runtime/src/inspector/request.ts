/** What is asked of the inspector, taken apart and checked. */
import { type BindParams, decodeJson, decodeKey, encodeJson, limits, readUtf8 } from "@troupe/protocol";
import { gatewayErrors, serverErrors } from "../errors.ts";
import type { GatewayRequest, GatewayResponse } from "../gateway/http-message.ts";
import { type ActorPhase, actorPhases } from "../host/phase.ts";
import type { PageQuery } from "../ports/inspection.ts";

/** A request of the inspector. */
export interface InspectorRequest {
  readonly method: "GET" | "POST";
  /** What stands behind `/inspector/`, decoded. */
  readonly path: readonly string[];
  readonly page: PageQuery;
  readonly name: string | undefined;
  /** The whole key, as addresses of actors have it; with `name`, of one actor. */
  readonly key: readonly string[] | undefined;
  readonly phase: ActorPhase | undefined;
  /** The name of a namespace. */
  readonly namespace: string | undefined;
  /** The body's fields; none without a body. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Default rows of a page. */
const PAGE = 50;

/** Throws `gateway.bad_request`, `gateway.method_not_allowed`, `value.*`. */
export function parseRequest(request: Pick<GatewayRequest, "method" | "url" | "body">): InspectorRequest {
  const { method } = request;
  if (method !== "GET" && method !== "POST") throw gatewayErrors.methodNotAllowed(method);
  const { path, query } = parseUrl(request.url);
  return {
    method,
    path,
    name: query.get("name") ?? undefined,
    key: keyOf(request.url),
    phase: phaseOf(query.get("phase")),
    namespace: query.get("namespace") ?? undefined,
    page: {
      limit: pageLimit(query.get("limit")),
      after: query.get("after") ?? undefined,
      prefix: query.get("prefix") ?? undefined,
    },
    body: fieldsOf(request.body),
  };
}

/** The parts of a path behind `/inspector/`, and its query. Throws `gateway.bad_request`. */
export function parseUrl(url: string): { readonly path: readonly string[]; readonly query: URLSearchParams } {
  const [path = "", query = ""] = url.split("?", 2);
  try {
    return { path: path.split("/").slice(2).map(decodeURIComponent), query: new URLSearchParams(query) };
  } catch {
    throw serverErrors.badRequest("the path isn't percent-encoded UTF-8");
  }
}

/** A field that must be a text. Throws `gateway.bad_request`. */
export function textField(body: InspectorRequest["body"], name: string): string {
  const value = body[name];
  if (typeof value !== "string") throw serverErrors.badRequest(`"${name}" must be a text`);
  return value;
}

/** A field that is a list; an empty one when it is absent. Throws `gateway.bad_request`. */
export function listField(body: InspectorRequest["body"], name: string): readonly unknown[] {
  const value = body[name] ?? [];
  if (!Array.isArray(value)) throw serverErrors.badRequest(`"${name}" must be a list`);
  return value;
}

/** A field that is an object; an empty one when it is absent. Throws `gateway.bad_request`. */
export function recordField(body: InspectorRequest["body"], name: string): Readonly<Record<string, unknown>> {
  const value = body[name] ?? {};
  if (!isRecord(value)) throw serverErrors.badRequest(`"${name}" must be an object`);
  return value;
}

/** Parameters of a statement; what isn't one is found when it is bound. */
export function paramsField(body: InspectorRequest["body"]): BindParams {
  const value = body["params"] ?? [];
  if (typeof value !== "object") throw serverErrors.badRequest('"params" must be a list or an object');
  return value as BindParams;
}

/** An answer that nobody keeps. */
export function jsonAnswer(value: unknown): GatewayResponse {
  const headers = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  return { status: 200, headers, body: encodeJson(value) };
}

/** Taken undecoded, as of all addresses: what separates its parts may stand in them. */
function keyOf(url: string): readonly string[] | undefined {
  const [, text] = /[?&]key=([^&#]*)/.exec(url) ?? [];
  return text === undefined ? undefined : decodeKey(text);
}

function phaseOf(text: string | null): ActorPhase | undefined {
  const phase = actorPhases.find((one) => one === text);
  if (text !== null && phase === undefined)
    throw serverErrors.badRequest(`phase must be one of ${actorPhases.join(", ")}`);
  return phase;
}

function pageLimit(text: string | null): number {
  if (text === null) return PAGE;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > limits.inspectorPage)
    throw serverErrors.badRequest(`limit must be 1 to ${limits.inspectorPage}`);
  return limit;
}

function fieldsOf(body: Uint8Array): Readonly<Record<string, unknown>> {
  if (body.byteLength === 0) return {};
  let text: string;
  try {
    text = readUtf8(body);
  } catch {
    throw serverErrors.badRequest("the body isn't UTF-8");
  }
  const value = decodeJson(text);
  if (!isRecord(value)) throw serverErrors.badRequest("the body must be an object");
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
