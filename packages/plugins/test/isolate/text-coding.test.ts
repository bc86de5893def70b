/** Text in an isolate is what it is on the platform. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Utf8Decoder, Utf8Encoder } from "../../src/carriers/isolate/guest/text-coding.ts";

const bytes = fc.uint8Array({ maxLength: 12 });
/** Bytes that are nearly UTF-8. */
const near = fc
  .tuple(fc.string({ unit: "binary", maxLength: 6 }), fc.nat(30), fc.nat(255))
  .map(([text, at, byte]) => new TextEncoder().encode(text).map((own, index) => (index === at ? byte : own)));

test("each text has the platform's bytes, also with halves of pairs", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)) }),
      (text) => {
        expect(new Utf8Encoder().encode(text)).toEqual(new TextEncoder().encode(text));
      },
    ),
  );
});

test("all bytes are the platform's text, or refused where it refuses", () => {
  for (const options of [{}, { fatal: true }, { ignoreBOM: true }])
    fc.assert(
      fc.property(fc.oneof(bytes, near), (input) => {
        const read = (decoder: { decode(input: Uint8Array): string }): string => {
          try {
            return decoder.decode(input);
          } catch {
            return "refused";
          }
        };
        const expected = read(new TextDecoder("utf-8", options));
        expect(read(new Utf8Decoder("utf-8", options))).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
});

test("long texts and the mark of their order", () => {
  const text = "\ufeffä€😀".repeat(5_000);
  expect(new Utf8Decoder().decode(new Utf8Encoder().encode(text))).toBe(text.slice(1));
});
