/** Walks through JSON and rewrites what is in it, copying only what changes. */
import type { Json } from "../events/event.ts";

/** What becomes of values. */
export interface Rewriter {
  /** The value of a property by its name: another value, or undefined to go on into it. */
  readonly property?: (name: string, value: Json) => Json | undefined;
  readonly text: (text: string) => string;
}

/** `value` rewritten; itself when nothing changed. */
export function rewrite(value: Json, rewriter: Rewriter): Json {
  if (typeof value === "string") return rewriter.text(value);
  if (typeof value !== "object" || value === null) return value;
  return isList(value) ? elements(value, rewriter) : properties(value, rewriter);
}

function elements(list: readonly Json[], rewriter: Rewriter): Json {
  let copy: Json[] | undefined;
  for (const [n, element] of list.entries()) {
    const rewritten = rewrite(element, rewriter);
    if (rewritten === element) continue;
    copy ??= [...list];
    copy[n] = rewritten;
  }
  return copy ?? list;
}

function properties(object: { readonly [key: string]: Json }, rewriter: Rewriter): Json {
  const changed: [string, Json][] = [];
  for (const [key, value] of Object.entries(object)) {
    const rewritten = rewriter.property?.(key, value) ?? rewrite(value, rewriter);
    if (rewritten !== value) changed.push([key, rewritten]);
  }
  return changed.length === 0 ? object : { ...object, ...Object.fromEntries(changed) };
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
