/** Tools of Gemini: functions stand together in one entry, the provider's own in entries of theirs. */
import type { Json } from "../../events/event.ts";
import { isList, isObject, objectsOf, own, present } from "../json.ts";
import { nativePart, nativeValue } from "../native.ts";

/** One tool for each function. */
export function readTools(tools: Json | undefined): readonly Json[] | undefined {
  if (!isList(tools)) return undefined;
  return tools.flatMap((entry): readonly Json[] => {
    if (!isObject(entry)) return [nativePart("gemini", "unknown", entry)];
    const declared = own(entry, "functionDeclarations");
    if (isList(declared)) return objectsOf(declared).map((fn) => ({ type: "function", function: fn }));
    return [nativePart("gemini", Object.keys(entry)[0] ?? "unknown", entry)];
  });
}

/** All functions in the first entry, then the rest. */
export function writeTools(tools: readonly Json[] | undefined): readonly Json[] | undefined {
  if (tools === undefined) return undefined;
  const declared = tools.flatMap((tool): readonly Json[] => {
    const fn = isObject(tool) ? own(tool, "function") : undefined;
    return isObject(fn) ? [present(fn)] : [];
  });
  const native = tools.flatMap((tool): readonly Json[] => {
    const value = nativeValue(tool);
    return value === undefined ? [] : [value];
  });
  return [...(declared.length === 0 ? [] : [{ functionDeclarations: declared }]), ...native];
}
