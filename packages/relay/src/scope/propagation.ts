/**
 * A scope on its way to another process: plain data for JSON, and a W3C `traceparent` for those who read nothing else.
 *
 * A `traceparent` keeps the last half of the parent's id only. Turned back into a context, its trace and its span are the
 * sender's, which is all that tracers look at; the first half of the parent's id is zeros.
 */
import { parseTraceparent } from "@troupe/protocol";
import { attempt } from "../given.ts";
import { propagationMalformed } from "../propagation-errors.ts";

/** Where work that is done elsewhere belongs. */
export interface PropagationContext {
  readonly version: 1;
  /** The trace; left out, the receiver begins one of its own below `parentUuid`. */
  readonly rootUuid?: string;
  /** The scope that the work belongs to. */
  readonly parentUuid: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Where the last half of one begins. */
const SPAN = "00000000-0000-0000-".length;

/** The context as JSON text, in the spelling of ATOF's other fields. Throws `relay.propagation_malformed`. */
export function propagationContextToJson(given: PropagationContext): string {
  const context = checkPropagation(given);
  return JSON.stringify({
    version: context.version,
    ...(context.rootUuid === undefined ? {} : { root_uuid: context.rootUuid }),
    parent_uuid: context.parentUuid,
  });
}

/** Reads what `propagationContextToJson` wrote. Throws `relay.propagation_malformed`; unknown fields are ignored. */
export function propagationContextFromJson(text: string): PropagationContext {
  const found = parse(text);
  if (typeof found !== "object" || found === null) throw propagationMalformed("not an object");
  if (!("version" in found) || found.version !== 1) throw propagationMalformed("its version isn't 1");
  const parentUuid = "parent_uuid" in found ? found.parent_uuid : undefined;
  const rootUuid = "root_uuid" in found ? found.root_uuid : undefined;
  return checkPropagation({ version: 1, parentUuid, rootUuid });
}

/** The same context, its ids checked. Throws `relay.propagation_malformed`. */
export function checkPropagation(context: {
  readonly version: 1;
  readonly parentUuid: unknown;
  readonly rootUuid?: unknown;
}): PropagationContext {
  const { parentUuid, rootUuid } = attempt(() => ({ ...context })) ?? {};
  if (!isUuid(parentUuid) || isZero(parentUuid.slice(SPAN)))
    throw propagationMalformed("its parent isn't a UUID");
  if (rootUuid === undefined || rootUuid === null) return { version: 1, parentUuid };
  if (!isUuid(rootUuid) || isZero(rootUuid)) throw propagationMalformed("its root isn't a UUID");
  return { version: 1, rootUuid, parentUuid };
}

/** `00-<trace>-<span>-01`: the trace is the root's id, the span the last half of the parent's. */
export function propagationContextToTraceparent(context: PropagationContext): string {
  const { rootUuid, parentUuid } = checkPropagation(context);
  return traceparent(rootUuid ?? parentUuid, parentUuid);
}

/** The context that a `traceparent` of anybody's names; undefined for a text that isn't one. */
export function propagationContextFromTraceparent(text: unknown): PropagationContext | undefined {
  const parsed = parseTraceparent(text);
  if (parsed === undefined) return undefined;
  const { traceId, spanId } = parsed;
  return { version: 1, rootUuid: dashed(traceId), parentUuid: dashed(spanId.padStart(32, "0")) };
}

/** As `propagationContextToTraceparent`, of the ids alone. */
export function traceparent(rootUuid: string, parentUuid: string): string {
  const trace = digits(rootUuid);
  const parent = parentUuid === rootUuid ? trace : digits(parentUuid);
  return `00-${trace}-${parent.slice(16)}-01`;
}

function digits(uuid: string): string {
  return uuid.replaceAll("-", "").toLowerCase();
}

function dashed(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}

/** A trace's id is the whole of one, a span's its last half: what is all zeros is none, and every tracer refuses it. */
function isZero(digits: string): boolean {
  return /^[0-]*$/.test(digits);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw propagationMalformed("not JSON", cause);
  }
}
