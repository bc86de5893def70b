/** The fields of a request that are the same but for their place, as tables: read and written from the same rows. */
import type { Json } from "../events/event.ts";
import type { AnnotatedLlmRequest, AnnotatedParams, CodecName } from "./annotated.ts";
import { isList, isObject, type JsonObject, number, own, present, text } from "./json.ts";

/** Where the fields of one provider's requests stand. */
export interface FieldTable {
  readonly api: CodecName;
  /** Its names for `params`. */
  readonly params: Readonly<Record<keyof AnnotatedParams, string>>;
  /** What goes into `api_specific`. */
  readonly specific: readonly string[];
  /** What the codec reads by itself. */
  readonly byHand: readonly string[];
}

/** By table, the fields that are told in other words: all others are told as they are. */
const skipped = new WeakMap<FieldTable, ReadonlySet<string>>();

/** Names that annotated requests give a meaning of their own: a provider's field of that name isn't told. */
const reserved: ReadonlySet<string> = new Set([
  ...["messages", "instructions", "model", "params", "tools", "tool_choice", "stream", "api_specific"],
]);

/** All of `raw` but what the codec reads by hand. `settings` holds the params: mostly the request itself. */
export function readFields(raw: JsonObject, table: FieldTable, settings: JsonObject = raw): JsonObject {
  const skip = skippedBy(table);
  const extra = Object.entries(raw).filter(([key]) => !skip.has(key));
  const specific = table.specific.map((key): readonly [string, Json | undefined] => [
    key,
    own(settings, key),
  ]);
  const params = readParams(settings, table);
  return {
    ...Object.fromEntries(extra),
    ...present({
      model: text(own(raw, "model")),
      stream: typeof raw.stream === "boolean" ? raw.stream : undefined,
      params: Object.keys(params).length === 0 ? undefined : params,
      api_specific: { api: table.api, ...present(Object.fromEntries(specific)) },
    }),
  };
}

function skippedBy(table: FieldTable): ReadonlySet<string> {
  const known = skipped.get(table);
  if (known !== undefined) return known;
  const skip = new Set([...table.byHand, ...Object.values(table.params), ...table.specific, ...reserved]);
  skipped.set(table, skip);
  return skip;
}

function readParams(settings: JsonObject, { params }: FieldTable): JsonObject {
  const stop = own(settings, params.stop);
  return present({
    temperature: number(own(settings, params.temperature)),
    max_tokens: number(own(settings, params.max_tokens)),
    top_p: number(own(settings, params.top_p)),
    stop: typeof stop === "string" ? [stop] : isList(stop) && stop.every(isText) ? stop : undefined,
  });
}

/** The other way: everything but what stands in `params` and what is specific. */
export function writeFields(annotated: AnnotatedLlmRequest, table: FieldTable): JsonObject {
  const skip = new Set([...table.byHand, ...reserved]);
  const extra = Object.entries(annotated).filter(([key]) => !skip.has(key));
  return present({
    ...Object.fromEntries(extra),
    model: annotated.model,
    stream: annotated.stream,
  });
}

/** The params and specific fields under the provider's names. */
export function writeSettings(annotated: AnnotatedLlmRequest, table: FieldTable): JsonObject {
  const params = annotated.params ?? {};
  const { api: _api, ...specific } = annotated.api_specific ?? { api: table.api };
  return present({
    ...specific,
    [table.params.temperature]: params.temperature,
    [table.params.max_tokens]: params.max_tokens,
    [table.params.top_p]: params.top_p,
    [table.params.stop]: params.stop,
  });
}

function isText(value: Json): value is string {
  return typeof value === "string";
}

/** True when `value` is an object of type `type`. */
export function isOfType(value: Json | undefined, type: string): value is JsonObject {
  return isObject(value) && value.type === type;
}
