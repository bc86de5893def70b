/** Walks through JSON and rewrites what is in it, copying only what changes. */
import type { JsonObject } from "../codecs/json.ts";
import type { Json } from "../events/event.ts";

/** What becomes of values. */
export interface Rewriter {
  /** The value of a property by its name: another value, or undefined to go on into it. */
  readonly property?: (name: string, value: Json, owner: JsonObject) => Json | undefined;
  /** The name of a property. */
  readonly key?: (name: string) => string;
  /** A list before anything in it is rewritten. */
  readonly list?: (list: readonly Json[]) => readonly Json[];
  readonly text: (text: string) => string;
  readonly scalar?: (value: number | boolean) => Json;
}

/** `value` rewritten; itself when nothing changed. */
export function rewrite(value: Json, rewriter: Rewriter): Json {
  if (typeof value === "string") return rewriter.text(value);
  if (value === null) return value;
  if (typeof value !== "object") return rewriter.scalar?.(value) ?? value;
  return isList(value) ? elements(value, rewriter) : properties(value, rewriter);
}

function elements(list: readonly Json[], rewriter: Rewriter): Json {
  const known = rewriter.list?.(list) ?? list;
  let copy: Json[] | undefined;
  for (let n = 0; n < known.length; n += 1) {
    const element = known[n] ?? null;
    const rewritten = rewrite(element, rewriter);
    if (rewritten === element) continue;
    copy ??= [...known];
    copy[n] = rewritten;
  }
  return copy ?? known;
}

function properties(object: JsonObject, rewriter: Rewriter): Json {
  let copy: Record<string, Json> | undefined;
  let renamed = false;
  for (const key of Object.keys(object)) {
    const value = object[key] ?? null;
    const rewritten = rewriter.property?.(key, value, object) ?? rewrite(value, rewriter);
    if (rewritten !== value) {
      copy ??= { ...object };
      // It is the copy's own by now, also where it is called `__proto__`.
      copy[key] = rewritten;
    }
    renamed ||= rewriter.key !== undefined && rewriter.key(key) !== key;
  }
  return renamed ? withNames(copy ?? object, rewriter) : (copy ?? object);
}

/** Two names may become one: what comes later stays. */
function withNames(object: JsonObject, { key = (name) => name }: Rewriter): Json {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [key(name), value]));
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
