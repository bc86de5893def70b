/** Tools of Gemini: functions stand together in entries, the provider's own in entries of theirs. */
import type { Json } from "../../events/event.ts";
import { isList, isObject, objectsOf, own, present } from "../json.ts";
import { pairEdits } from "../merge-edits.ts";
import { nativePart, nativeValue } from "../native.ts";

/** One tool for each function. */
export function readTools(tools: Json | undefined): readonly Json[] | undefined {
  return isList(tools) ? tools.flatMap(readEntry) : undefined;
}

/** Functions in the entries that they were read from; new ones go into the entry before, or into the first. */
export function writeTools(
  tools: readonly Json[] | undefined,
  original: Json | undefined,
): readonly Json[] | undefined {
  if (tools === undefined) return undefined;
  const sources = (isList(original) ? original : []).flatMap((raw) =>
    readEntry(raw).map((told) => ({ raw, told })),
  );
  const written: Json[] = [];
  const declared = new Map<Json, Json[]>();
  let latest: Json[] = [];
  const early = latest;
  for (const { is: tool, from } of pairEdits(
    sources.map(({ told }) => told),
    tools,
  )) {
    const native = nativeValue(tool);
    const fn = isObject(tool) ? own(tool, "function") : undefined;
    if (native !== undefined) written.push(native);
    if (native !== undefined || !isObject(fn)) continue;
    const raw = from === undefined ? undefined : sources[from]?.raw;
    if (isObject(raw) && isList(own(raw, "functionDeclarations"))) {
      const known = declared.get(raw);
      // Those that came before any entry go into the first.
      latest = known ?? (declared.size === 0 ? early : []);
      if (known === undefined) written.push({ ...raw, functionDeclarations: latest });
      declared.set(raw, latest);
    }
    latest.push(present(fn));
  }
  return declared.size === 0 && early.length > 0 ? [{ functionDeclarations: early }, ...written] : written;
}

function readEntry(entry: Json): readonly Json[] {
  if (!isObject(entry)) return [nativePart("gemini", "unknown", entry)];
  const declared = own(entry, "functionDeclarations");
  if (isList(declared)) return objectsOf(declared).map((fn) => ({ type: "function", function: fn }));
  return [nativePart("gemini", Object.keys(entry)[0] ?? "unknown", entry)];
}
