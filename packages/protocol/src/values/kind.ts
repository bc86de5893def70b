/**
 * What an object is to the value model. One function decides, so that the copy, both codecs and the explanation of a
 * refusal can't disagree.
 *
 * Subclasses: an Error stays an Error and a typed array is its base (a Buffer is a Uint8Array), for both lose nothing
 * that their users rely on. An Array's subclass is an array, because rows of SQL drivers are. Any other subclass or
 * class instance is refused: it would come back without its methods.
 */
export type Kind =
  | "array"
  | "object"
  | "date"
  | "regexp"
  | "map"
  | "set"
  | "error"
  | "buffer"
  | "view"
  | "unsupported";

/** The kind of an object that was unwrapped already. */
export function kindOf(value: object): Kind {
  if (Array.isArray(value)) return "array";
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return "object";
  if (ArrayBuffer.isView(value)) return "view";
  switch (prototype) {
    case Date.prototype:
      return "date";
    case Map.prototype:
      return "map";
    case Set.prototype:
      return "set";
    case RegExp.prototype:
      return "regexp";
    case ArrayBuffer.prototype:
      return "buffer";
  }
  return value instanceof Error ? "error" : "unsupported";
}

/** True when an own property of `value` has a symbol for its key: such properties don't travel, so they are refused. */
export function hasSymbols(value: object): boolean {
  return Object.getOwnPropertySymbols(value).length > 0;
}

/** How an error message names the type of a value that is refused. */
export function describeType(value: unknown): string {
  if (typeof value === "function") return value.name === "" ? "a function" : `a function (${value.name})`;
  if (typeof value === "symbol") return "a symbol";
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  const maker: unknown =
    typeof prototype === "object" && prototype !== null && "constructor" in prototype
      ? prototype.constructor
      : undefined;
  if (typeof maker !== "function" || maker.name === "") return "an instance of a class";
  return maker.name === "Promise" ? "a Promise (is an await missing?)" : `an instance of ${maker.name}`;
}
