/**
 * One value for each thing that the value model promises (MISSION S1.9), under the name that
 * `conformance/vectors/values.golden.json` knows it by.
 */
import { isDeepStrictEqual } from "node:util";
import { TroupeError, UserError } from "@troupe/base";
import { encodeJson } from "@troupe/protocol";
import { expect } from "vitest";

/** Not in the library's types yet. */
const { Float16Array = Float32Array } = globalThis as {
  readonly Float16Array?: new (elements: readonly number[]) => ArrayBufferView;
};

const memory = Uint8Array.from([9, 9, 1, 2, 3, 255, 0, 128, 9, 9]).buffer;

class OddError extends Error {
  static {
    Object.defineProperty(OddError.prototype, "name", { value: "OddError" });
  }
}

export const samples: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["null", null],
  ["undefined", undefined],
  ["true", true],
  ["false", false],
  ["empty string", ""],
  ["string", "hello"],
  ["string beyond ASCII", "zażółć 你好 🎉"],
  ["string with a byte order mark and NUL", "\ufeff\u0000"],
  ["string with a lone surrogate", "a\ud800b"],
  ["string of 300 letters", "x".repeat(300)],
  ["0", 0],
  ["23", 23],
  ["24", 24],
  ["-1", -1],
  ["-25", -25],
  ["65536", 65_536],
  ["2^32", 2 ** 32],
  ["largest safe integer", Number.MAX_SAFE_INTEGER],
  ["smallest safe integer", Number.MIN_SAFE_INTEGER],
  ["2^53", 2 ** 53],
  ["1.5", 1.5],
  ["0.1", 0.1],
  ["smallest number", Number.MIN_VALUE],
  ["largest number", Number.MAX_VALUE],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
  ["BigInt 0", 0n],
  ["BigInt 1", 1n],
  ["BigInt -1", -1n],
  ["BigInt 2^64", 2n ** 64n],
  ["BigInt -2^64", -(2n ** 64n)],
  ["Date", new Date(1_700_000_000_123)],
  ["Date of a whole second", new Date(1_700_000_000_000)],
  ["Date before 1970", new Date(-1)],
  ["Date farthest", new Date(8_640_000_000_000_000)],
  ["Date invalid", new Date(Number.NaN)],
  ["RegExp", /a+"\/b/giu],
  ["Error", new Error("broken")],
  ["TypeError", new TypeError("wrong")],
  ["Error of a name", new OddError("odd")],
  ["UserError", new UserError("taken", { code: "name_taken", metadata: { name: "ann", at: [1n] } })],
  [
    "TroupeError",
    new TroupeError("actor", "overloaded", "full", { retryable: true, metadata: { limit: 5 } }),
  ],
  ["Uint8Array empty", new Uint8Array()],
  ["Uint8Array", new Uint8Array([0, 1, 254, 255])],
  ["Uint8Array view with an offset", new Uint8Array(memory, 2, 5)],
  ["Buffer view with an offset", Buffer.from(memory, 2, 5)],
  ["ArrayBuffer", Uint8Array.from([1, 2, 3]).buffer],
  ["DataView with an offset", new DataView(memory, 3, 2)],
  ["Uint8ClampedArray", new Uint8ClampedArray([0, 255])],
  ["Int8Array", new Int8Array([-1, 1])],
  ["Uint16Array", new Uint16Array([1, 65_535])],
  ["Int16Array", new Int16Array([-2, 2])],
  ["Uint32Array", new Uint32Array([1, 4_294_967_295])],
  ["Int32Array", new Int32Array([-3, 3])],
  ["BigUint64Array", new BigUint64Array([2n ** 64n - 1n])],
  ["BigInt64Array", new BigInt64Array([-4n])],
  ["Float32Array", new Float32Array([1.5, Number.NaN])],
  ["Float64Array", new Float64Array([0.1, -0])],
  ["Map empty", new Map()],
  [
    "Map",
    new Map<unknown, unknown>([
      ["a", 1],
      [2, "b"],
      [{ k: 1 }, null],
    ]),
  ],
  ["Set", new Set<unknown>([1, "1", undefined, [1]])],
  ["Array empty", []],
  ["Array", [1, "two", [null, false]]],
  // biome-ignore lint/suspicious/noSparseArray: holes are what this one is about
  ["Array with a hole", [1, , 3]],
  ["Array like a special", ["$Date", 0]],
  ["Array like an escaped special", ["$$Map", []]],
  ["object empty", {}],
  ["object", { a: 1, b: { c: [true] }, "": "empty key", żółć: 2 }],
  ["object with an undefined property", { a: undefined, b: 1 }],
  [
    "object with dangerous names",
    JSON.parse('{"constructor":{"prototype":1},"then":2,"toJSON":3,"hasOwnProperty":4}'),
  ],
  [
    "all together",
    { list: [new Map([["k", new Set([new Date(0)])]]), { big: 10n }], bytes: new Uint8Array([7]) },
  ],
  ["Float16Array", new Float16Array([1.5, -2])],
  ["only a lone surrogate", "\udfff"],
  ["surrogates the wrong way round", "\udc00\ud800"],
  ["object with a lone surrogate for a name", { "\ud800": 1 }],
  ["largest single", 3.402_823_466_385_288_6e38],
  ["smallest whole number beyond safe ones", -(2 ** 53)],
  ["BigInt of a safe integer", 9_007_199_254_740_991n],
  ["BigInt beyond safe integers", -9_007_199_254_740_992n],
  ["BigInt 2^63 - 1", 2n ** 63n - 1n],
  ["BigInt -2^63", -(2n ** 63n)],
  ["BigInt 2^64 - 1", 2n ** 64n - 1n],
  ["BigInt -2^64 - 1", -(2n ** 64n) - 1n],
  ["BigInt 2^128", 2n ** 128n],
  ["Date of the last exact second", new Date(2 ** 51)],
  ["Date of the first that is milliseconds", new Date(2 ** 51 + 1)],
  ["Date of the year 1", new Date(-62_135_596_800_000)],
  // biome-ignore lint/suspicious/useErrorMessage: an empty one is what this one is about
  ["Error of nothing", new Error("")],
  ["Error in an Error", new TroupeError("a", "b", "c", { metadata: { cause: new RangeError("d") } })],
  ["Set empty", new Set()],
  ["Set of empty ones", new Set<unknown>([[], {}, new Map(), new Set(), "", new Uint8Array()])],
  ["Map of Maps", new Map([[new Map([[1, 2]]), new Map([[Number.NaN, -0]])]])],
  ["nested empty ones", [[[]], [{}], { a: {} }, new Map([[null, []]])]],
  ["list of 24", Array.from({ length: 24 }, (_, at) => at)],
  ["undefined in every place", { a: undefined, b: [undefined], c: new Map([[undefined, undefined]]) }],
]);

/** What a receiver gets for a sample, where it isn't the sample itself. */
export const received: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["Buffer view with an offset", new Uint8Array([1, 2, 3, 255, 0])],
  ["Array with a hole", [1, undefined, 3]],
]);

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

/**
 * Equal in structure, NaN and -0 told apart, entries in order. Not vitest's own: that reads `value.constructor`, which
 * is data here. Errors are compared by what travels.
 */
export function same(a: unknown, b: unknown): boolean {
  if (a instanceof Error && b instanceof Error) return encodeJson(a) === encodeJson(b);
  return isDeepStrictEqual(a, b) && encodeJson(a) === encodeJson(b);
}

export function expectSame(actual: unknown, expected: unknown): void {
  if (same(actual, expected)) return;
  expect(actual).toStrictEqual(expected);
  throw new Error(`${encodeJson(actual)} isn't ${encodeJson(expected)}`);
}
