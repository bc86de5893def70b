/**
 * `state`, `connState` and `vars` given as values: each actor, connection and activation gets a copy, so a value that
 * can't be copied is refused where it is written, not at the first call.
 */
import { TroupeError } from "@troupe/base";
import { cloneValue } from "@troupe/protocol";
import { configErrors } from "../errors.ts";

/** The keys of a definition that take a value. */
export type FirstValueKey = "state" | "connState" | "vars";

/** Throws `config.invalid_value`, which names the place, for a value that can't be a first one. */
export function checkFirstValue(key: FirstValueKey, value: unknown): void {
  if (key === "state") checkStorable(value);
  else if (!isCloneable(value))
    throw configErrors.invalidValue(placeIn(value, key, new Set()), "can't be cloned");
}

/** The state is stored: it takes what the wire takes, and is saved property by property. */
function checkStorable(value: unknown): void {
  let copy: unknown;
  try {
    copy = cloneValue(value, "state");
  } catch (cause) {
    if (!TroupeError.is(cause)) throw cause;
    throw configErrors.invalidValue("state", cause.message, cause);
  }
  const prototype: unknown = copy && typeof copy === "object" ? Object.getPrototypeOf(copy) : undefined;
  if (prototype !== Object.prototype) throw configErrors.invalidValue("state", "must be a plain object");
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** Where in `value` the part stands that can't be cloned; the whole when no property of it is to blame. */
function placeIn(value: unknown, path: string, ancestors: Set<unknown>): string {
  if (typeof value !== "object" || value === null || ancestors.has(value)) return path;
  ancestors.add(value);
  const part = Object.entries(value).find(([, each]) => !isCloneable(each) && !ancestors.has(each));
  return part === undefined ? path : placeIn(part[1], `${path}.${part[0]}`, ancestors);
}
