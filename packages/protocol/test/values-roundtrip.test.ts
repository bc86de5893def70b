import { cloneValue, decodeCbor, decodeJson, encodeCbor, encodeJson, RAW } from "@troupe/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { same } from "./samples.ts";

const key = fc
  .oneof(fc.string({ unit: "binary" }), fc.constantFrom("constructor", "toJSON", "then", "$Map"))
  .filter((text) => text !== "__proto__");

const leaf = fc.oneof(
  fc.constantFrom(
    null,
    undefined,
    true,
    false,
    Number.NaN,
    -0,
    Number.POSITIVE_INFINITY,
    "$Date",
    "$",
    "__proto__",
  ),
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme", minLength: 40, maxLength: 100 }),
  // Any UTF-16 at all: lone surrogates included.
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.double(),
  fc.maxSafeInteger(),
  fc.bigInt(),
  fc.date(),
  fc.uint8Array(),
  fc.int16Array(),
  fc.float64Array(),
  fc.bigUint64Array(),
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
);

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(key, tie("value"), { maxKeys: 6, noNullPrototype: true }),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 4 }).map((entries) => new Set(entries)),
  ),
}));

const RUNS = { numRuns: 1_000 };

test("JSON: what is decoded equals what was encoded", () => {
  fc.assert(
    fc.property(value, (sent) => same(decodeJson(encodeJson(sent)), sent)),
    RUNS,
  );
});

test("CBOR: what is decoded equals what was encoded", () => {
  fc.assert(
    fc.property(value, (sent) => same(decodeCbor(encodeCbor(sent)), sent)),
    RUNS,
  );
});

test("a clone equals its original and shares no object with it", () => {
  fc.assert(
    fc.property(value, (sent) => {
      const copy = cloneValue(sent);
      return same(copy, sent) && (typeof sent !== "object" || sent === null || copy !== sent);
    }),
    RUNS,
  );
});

test("CBOR of one value is the same bytes each time, and the shortest head for its texts", () => {
  for (const length of [0, 1, 23, 24, 25, 47, 48, 49, 255, 256, 257, 65_535, 65_536]) {
    for (const letter of ["a", "é", "你"]) {
      const text = letter.repeat(length);
      const bytes = encodeCbor(text);
      const size = new TextEncoder().encode(text).length;
      const head = size < 24 ? 1 : size < 256 ? 2 : size < 65_536 ? 3 : 5;
      expect(bytes.length, `${length} times ${letter}`).toBe(head + size);
      expect(decodeCbor(bytes)).toBe(text);
    }
  }
});

test("a state proxy is written and copied as its target, wherever it is", () => {
  const target = { n: 1, at: new Date(5), list: [1] };
  const proxy = new Proxy(target, {
    get: (object, name) => (name === RAW ? object : Reflect.get(object, name)),
  });
  const holder = { plain: 1, proxy, all: [proxy], map: new Map([["k", proxy]]) };
  const expected = { plain: 1, proxy: target, all: [target], map: new Map([["k", target]]) };
  expect(decodeJson(encodeJson(proxy))).toStrictEqual(target);
  expect(decodeJson(encodeJson(holder))).toStrictEqual(expected);
  expect(decodeCbor(encodeCbor(holder))).toStrictEqual(expected);
  expect(cloneValue(holder)).toStrictEqual(expected);
});

test("an encoder may be entered again from a getter", () => {
  const inner = { list: [1, 2, 3] };
  const outer = {
    before: "x".repeat(100),
    get nested() {
      return encodeCbor(inner);
    },
    after: [true],
  };
  expect(decodeCbor(encodeCbor(outer))).toStrictEqual({
    before: "x".repeat(100),
    nested: encodeCbor(inner),
    after: [true],
  });
});
