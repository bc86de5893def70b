/**
 * True when what an action gave has a method of that name: then it is a promise, or comes in items. A Proxy whose traps
 * throw has none: whoever encodes it says what it is.
 */
export function hasMethod(value: unknown, name: PropertyKey): boolean {
  if (typeof value !== "object" || value === null) return false;
  try {
    return name in value && typeof Reflect.get(value, name) === "function";
  } catch {
    return false;
  }
}
