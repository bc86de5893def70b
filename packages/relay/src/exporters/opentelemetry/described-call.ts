/** What the two events of one scope say together, for projections to put in the words of their conventions. */
import type { AnnotatedLlmRequest, AnnotatedLlmResponse } from "../../codecs/annotated.ts";
import { isObject, type JsonObject } from "../../codecs/json.ts";
import type { Json, MarkEvent, ScopeEvent } from "../../events/event.ts";

/** A scope that has ended, or is told before it has. */
export interface DescribedCall {
  readonly start: ScopeEvent;
  readonly end: ScopeEvent | undefined;
  readonly marks: readonly MarkEvent[];
}

/** The values of attributes. */
export type AttributeValue = string | number | boolean | string[] | number[] | boolean[];

/** Attributes by name. */
export type AttributeMap = Record<string, AttributeValue>;

/** The facts of a scope under all their names: the end's say over the start's. */
export function metadataOf({ start, end }: DescribedCall): JsonObject {
  return { ...start.metadata, ...end?.metadata };
}

/** The profile of a scope. */
export function profileOf({ start, end }: DescribedCall): JsonObject {
  return { ...start.category_profile, ...end?.category_profile };
}

/** The request in the words of all providers; undefined when the call had no codec. */
export function requestOf(call: DescribedCall): AnnotatedLlmRequest | undefined {
  const found = profileOf(call).annotated_request;
  // Made by a codec, and rewritten by sanitizers at most: fields may be missing, and are looked at one by one.
  return isObject(found) ? ({ messages: [], ...found } as AnnotatedLlmRequest) : undefined;
}

/** The response in the words of all providers. */
export function responseOf(call: DescribedCall): AnnotatedLlmResponse | undefined {
  const found = profileOf(call).annotated_response;
  return isObject(found) ? (found as AnnotatedLlmResponse) : undefined;
}

/**
 * The value as an attribute has it: scalars and lists of one type as they are, all else as JSON. A whole number is an int64
 * on the wire: a larger one is told as text, for a collector refuses all that comes with it.
 */
export function attributeValue(value: Json | undefined): AttributeValue | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number") return isTold(value) ? value : String(value);
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    if (list.every((element) => typeof element === "string")) return [...list];
    if (list.every((element) => typeof element === "number") && list.every(isTold)) return [...list];
    if (list.every((element) => typeof element === "boolean")) return [...list];
  }
  return JSON.stringify(value);
}

function isTold(value: number): boolean {
  return !Number.isInteger(value) || Math.abs(value) < 2 ** 63;
}

/** The attributes without what is undefined or has no name. */
export function attributes(given: Readonly<Record<string, Json | undefined>>): AttributeMap {
  const entries = Object.entries(given).flatMap(
    ([key, value]): readonly (readonly [string, AttributeValue])[] => {
      const told = attributeValue(value);
      return told === undefined || key === "" ? [] : [[key, told]];
    },
  );
  return Object.fromEntries(entries);
}
