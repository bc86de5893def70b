/**
 * Whole JSON: the text of a value that JSON says whole. Neither a key nor an answer may be made of less: two values that
 * differ only in what is left out would be taken for each other.
 */

/** Undefined for what isn't the same behind JSON: a date, bytes, a class of its own, a cycle, what is too deep to walk. */
export function wholeJson(value: unknown): string | undefined {
  try {
    return isPlain(value) ? JSON.stringify(value) : undefined;
  } catch {
    return undefined;
  }
}

function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || isPlainObject(value);
    default:
      return false;
  }
}

function isPlainObject(value: object): boolean {
  // By a copy: a hole in a list is undefined there.
  if (Array.isArray(value)) return Array.from<unknown>(value).every(isPlain);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isPlain);
}
