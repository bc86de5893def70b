/**
 * What is shown of connection parameters: their names and types. Their values are the users': tokens, sessions, names.
 */

/** Levels of a value that are looked into. */
const DEPTH = 3;

/** The shape of a value, with its type in the place of every leaf. */
export function masked(value: unknown, depth: number = DEPTH): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object") return `<${typeof value}>`;
  if (Array.isArray(value)) return `<array of ${value.length}>`;
  if (depth === 0 || Object.getPrototypeOf(value) !== Object.prototype) return "<object>";
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, masked(entry, depth - 1)]));
}
