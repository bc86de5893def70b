/**
 * ToolSchema: what is wrong with a JSON schema that a program gives for a tool's arguments. A validator passes over what it doesn't know,
 * and meets a pattern or a reference only with a value that reaches it: then every call of the tool would fail, or none would be checked.
 */
import { schemaArrayKeyword, schemaKeyword, schemaMapKeyword } from "@cfworker/json-schema";

type Fields = Readonly<Record<string, unknown>>;
/** What is wrong, at a JSON pointer. */
type Fault = string;

const types = new Set(["array", "boolean", "integer", "null", "number", "object", "string"]);

const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
const isNumber = (value: unknown): boolean => typeof value === "number";
const isText = (value: unknown): boolean => typeof value === "string";
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isType = (value: unknown): boolean =>
  (Array.isArray(value) ? value : [value]).every((type) => types.has(type));

type Shape = readonly [what: string, fits: (value: unknown) => boolean];

/** What a keyword's value is, beside those that are schemas. */
const shapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ["type", [`one of ${[...types].join(", ")}, or a list of them`, isType]],
  ["required", ["a list of names", isTexts]],
  ["enum", ["a list", Array.isArray]],
  ["pattern", ["a regular expression", isPattern]],
  ["$ref", ["text", isText]],
  ["uniqueItems", ["true or false", (value) => typeof value === "boolean"]],
  ...["minimum", "maximum", "multipleOf"].map((name): [string, Shape] => [name, ["a number", isNumber]]),
  ...["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"].map(
    (name): [string, Shape] => [name, ["a number of zero or more", isCount]],
  ),
]);

/** What is wrong with it, the first that is found; undefined: nothing. Only an object's schema can be one of arguments. */
export function schemaFault(schema: unknown): Fault | undefined {
  if (!isFields(schema)) return "it is an object";
  const type = schema["type"];
  if (type !== undefined && ![type].flat().includes("object")) return 'at #, type is "object"';
  return faultOf(schema, "#");
}

function faultOf(schema: unknown, at: string): Fault | undefined {
  if (typeof schema === "boolean") return undefined;
  if (!isFields(schema)) return `at ${at}, a schema is an object, true or false`;
  for (const [name, value] of Object.entries(schema)) {
    // The validator passes over it, and all that it leads to.
    if (name === "$dynamicRef") return `at ${at}/${name}, there must be a "$ref" instead`;
    const shape = shapes.get(name);
    if (shape !== undefined && !shape[1](value)) return `at ${at}/${name}, there must be ${shape[0]}`;
    const fault = faultBelow(name, value, `${at}/${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultBelow(name: string, value: unknown, at: string): Fault | undefined {
  if (name in schemaMapKeyword) return faultInMap(name, value, at);
  if (name in schemaArrayKeyword && (Array.isArray(value) || !(name in schemaKeyword))) {
    if (!Array.isArray(value)) return `at ${at}, there must be a list of schemas`;
    return firstOf(value.map((one, place) => [one, `${at}/${place}`]));
  }
  return name in schemaKeyword ? faultOf(value, at) : undefined;
}

function faultInMap(name: string, value: unknown, at: string): Fault | undefined {
  if (!isFields(value)) return `at ${at}, there must be an object of schemas`;
  const entries = Object.entries(value);
  if (name === "patternProperties")
    for (const [pattern] of entries)
      if (!isPattern(pattern)) return `at ${at}, ${JSON.stringify(pattern)} is no regular expression`;
  return firstOf(entries.map(([key, one]) => [one, `${at}/${key}`]));
}

function firstOf(schemas: readonly (readonly [schema: unknown, at: string])[]): Fault | undefined {
  for (const [schema, at] of schemas) {
    const fault = faultOf(schema, at);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isPattern(value: unknown): boolean {
  if (typeof value !== "string") return false;
  try {
    new RegExp(value, "u");
    return true;
  } catch {
    return false;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
