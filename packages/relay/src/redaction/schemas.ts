/**
 * JSON schemas in payloads: the tools that a model is offered, above all. What a schema calls its properties are names, also
 * when one of them is called "password"; an example of such a property, or its default, is a secret all the same.
 */
import { isList, isObject, type JsonObject } from "../codecs/json.ts";
import type { Json } from "../events/event.ts";

/** Values that a schema gives as such. */
const given: ReadonlySet<string> = new Set(["default", "const", "enum", "example", "examples"]);
const keywords: ReadonlySet<string> = new Set([
  ...given,
  ...[
    "$ref",
    "$id",
    "$schema",
    "$comment",
    "$defs",
    "definitions",
    "$anchor",
    "$dynamicRef",
    "type",
    "format",
  ],
  ...["title", "description", "deprecated", "readOnly", "writeOnly", "nullable", "strict", "pattern"],
  ...["properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames"],
  ...["required", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas"],
  ...["items", "prefixItems", "additionalItems", "contains", "minItems", "maxItems", "uniqueItems"],
  ...["minContains", "maxContains", "minLength", "maxLength", "contentEncoding", "contentMediaType"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ...["anyOf", "oneOf", "allOf", "not", "if", "then", "else", "discriminator"],
]);
const maps: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs", "definitions"]);

/** True for a name under which schemas may stand. */
export function holdsSchemas(name: string): boolean {
  return maps.has(name);
}

/** True for schemas by name, which is what `properties` holds, and for no payload that only looks like it. */
export function isSchemaMap(name: string, value: Json): value is JsonObject {
  return holdsSchemas(name) && isObject(value) && Object.values(value).every(isSchema);
}

/** A schema whose given values are rewritten by `hide`. */
export function withoutGiven(schema: Json, hide: (value: Json) => Json): Json {
  if (!isObject(schema)) return schema;
  const entries = Object.entries(schema).map(([key, value]): readonly [string, Json] => {
    if (!given.has(key)) return [key, value];
    return [key, isList(value) ? value.map(hide) : hide(value)];
  });
  return Object.fromEntries(entries);
}

function isSchema(value: Json): boolean {
  if (typeof value === "boolean") return true;
  return isObject(value) && Object.keys(value).every((key) => keywords.has(key));
}
