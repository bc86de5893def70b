/** What a plugin asks, as options of the relay's own calls. Throws `plugin.ask_invalid`. */
import {
  type DataSchema,
  type EventOptions,
  type GateTarget,
  type Json,
  type LlmRequest,
  type Measurement,
  type MiddlewareKind,
  middlewareKindNames,
  type PopOptions,
  ScopeType,
} from "@troupe/relay";
import { hostErrors } from "../session/host-errors.ts";
import { AskedFields } from "./asked-fields.ts";

const scopeTypes = Object.values(ScopeType);
const severities = ["trace", "debug", "info", "warn", "error"] as const;
const attributeNames = ["parallel", "relocatable", "stateful", "streaming", "remote"] as const;
const measurementKinds = ["counter", "up_down_counter", "gauge", "histogram"] as const;
const valueTypes = ["u64", "i64", "f64"] as const;

/** A mark's. */
export function markOf(fields: AskedFields): EventOptions {
  const category = fields.optionalOneOf("category", scopeTypes);
  const categoryProfile = fields.optionalFacts("categoryProfile");
  const dataSchema = schemaOf(fields);
  const severity = fields.optionalOneOf("severity", severities);
  return {
    data: fields.any("data") ?? null,
    ...metadataOf(fields),
    ...(category && { category }),
    ...(categoryProfile && { categoryProfile }),
    ...(dataSchema && { dataSchema }),
    ...(severity && { severity }),
  };
}

/** A metric's. What a measurement may be beyond its types is the relay's to say. */
export function metricOf(fields: AskedFields) {
  const listed = fields.any("measurements");
  if (!Array.isArray(listed)) throw hostErrors.askInvalid("measurements", "a list");
  return { measurements: listed.map(measurementOf), ...metadataOf(fields) };
}

/** A scope's. */
export function pushOf(fields: AskedFields) {
  const attributes = fields.optionalList("attributes", attributeNames);
  const categoryProfile = fields.optionalFacts("categoryProfile");
  return {
    name: fields.text("name"),
    scopeType: fields.oneOf("scopeType", scopeTypes),
    input: fields.any("input") ?? null,
    ...metadataOf(fields),
    ...(attributes && { attributes }),
    ...(categoryProfile && { categoryProfile }),
  };
}

/** The end's of a scope. */
export function popOf(fields: AskedFields): PopOptions {
  const error = fields.any("error") ?? undefined;
  return {
    output: fields.any("output") ?? null,
    ...metadataOf(fields),
    ...(error !== undefined && { error }),
  };
}

/** A gate's. */
export function gateOf(fields: AskedFields): {
  readonly name: string;
  readonly about: GateTarget;
  readonly reason: string | undefined;
} {
  const reason = fields.optionalText("reason");
  const name = fields.text("name");
  if (reason === undefined) return { name, reason, about: { kinds: [], name: "" } };
  const about = new AskedFields(fields.record("about"));
  return { name, reason, about: { kinds: kindsOf(about) ?? [], name: about.text("name") } };
}

/** Kinds of middleware; undefined: it names none. */
export function kindsOf(fields: AskedFields): readonly MiddlewareKind[] | undefined {
  return fields.optionalList("kinds", middlewareKindNames);
}

function metadataOf(fields: AskedFields): { readonly metadata?: { readonly [key: string]: Json } } {
  const metadata = fields.optionalFacts("metadata");
  return metadata === undefined ? {} : { metadata };
}

function schemaOf(fields: AskedFields): DataSchema | undefined {
  const schema = fields.optionalRecord("dataSchema");
  if (schema === undefined) return undefined;
  const read = new AskedFields(schema);
  return { name: read.text("name"), version: read.text("version") };
}

function measurementOf(said: unknown): Measurement {
  const fields = new AskedFields(said);
  const value = fields.any("value");
  if (typeof value !== "number" && typeof value !== "bigint")
    throw hostErrors.askInvalid("value", "a number");
  const unit = fields.optionalText("unit");
  const description = fields.optionalText("description");
  const attributes = fields.optionalFacts("attributes");
  const boundaries = fields.any("boundaries") ?? undefined;
  if (boundaries !== undefined && !isNumbers(boundaries))
    throw hostErrors.askInvalid("boundaries", "a list of numbers");
  return {
    name: fields.text("name"),
    kind: fields.oneOf("kind", measurementKinds),
    valueType: fields.oneOf("valueType", valueTypes),
    value,
    ...(unit !== undefined && { unit }),
    ...(description !== undefined && { description }),
    ...(attributes && { attributes }),
    ...(boundaries && { boundaries }),
  };
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((one) => typeof one === "number");
}

/** A call's of a tool. */
export function toolCallOf(fields: AskedFields) {
  const toolCallId = fields.optionalText("toolCallId");
  return { ...callOf(fields), ...(toolCallId !== undefined && { toolCallId }) };
}

/** A call's of a model. */
export function llmCallOf(fields: AskedFields) {
  const modelName = fields.optionalText("modelName");
  const requestInEvents = fields.optionalOneOf("requestInEvents", ["whole", "headers"] as const);
  return {
    ...callOf(fields),
    ...(modelName !== undefined && { modelName }),
    ...(requestInEvents && { requestInEvents }),
  };
}

/** What a model is asked. What its content says is the provider's to read. */
export function requestOf(fields: AskedFields): LlmRequest {
  const request = new AskedFields(fields.record("request"));
  const headers = request.optionalRecord("headers") ?? {};
  return {
    headers: Object.fromEntries(
      Object.keys(headers).map((name) => [name, new AskedFields(headers).text(name)]),
    ),
    content: request.any("content"),
  };
}

function callOf(fields: AskedFields) {
  const attributes = fields.optionalList("attributes", attributeNames);
  return { ...metadataOf(fields), ...(attributes && { attributes }) };
}
