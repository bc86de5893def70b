/** What the codecs write and read by, held against protobuf's own library. */
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { splitCodecs } from "../../../tools/split-codecs.ts";
import { ProtoReader } from "../src/wire/proto-reader.ts";
import { begin, ProtoWriter } from "../src/wire/proto-writer.ts";

const numbers = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const safe = fc.oneof(numbers, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const signed = fc.oneof(fc.integer({ min: -300, max: 300 }), fc.integer());
const texts = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ maxLength: 400, unit: "binary" }),
  fc.constantFrom("", "é".repeat(48), "é".repeat(100), "\ud800", "\ufeffmarked", "x".repeat(9_000)),
);

const field = fc.oneof(
  numbers.map((value) => ({ kind: "uint32", value }) as const),
  safe.map((value) => ({ kind: "uint64", value }) as const),
  signed.map((value) => ({ kind: "int32", value }) as const),
  signed.map((value) => ({ kind: "sint32", value }) as const),
  fc.boolean().map((value) => ({ kind: "bool", value }) as const),
  texts.map((value) => ({ kind: "string", value }) as const),
  fc.uint8Array({ maxLength: 300 }).map((value) => ({ kind: "bytes", value }) as const),
);

type Field = typeof field extends fc.Arbitrary<infer F> ? F : never;
type Message = readonly (Field | readonly Field[])[];

const message: fc.Arbitrary<Message> = fc.array(fc.oneof(field, fc.array(field, { maxLength: 8 })), {
  maxLength: 12,
});

function write<W extends BinaryWriter | ProtoWriter>(writer: W, fields: Message): W {
  for (const each of fields) {
    if ("length" in each) write(writer.fork() as W, each).join();
    else (writer[each.kind] as (value: unknown) => unknown).call(writer, each.value);
  }
  return writer;
}

test("what is written are the bytes that the library writes", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
      const own = new ProtoWriter();
      const written = messages.map((each) => write(own.begin(), each).finish());
      // Later messages share memory with earlier ones, and change nothing of them.
      for (const [at, each] of messages.entries())
        expect(written[at]).toEqual(write(new BinaryWriter(), each).finish());
    }),
  );
});

test("wherever the memory ends that short messages share, they are whole, and so are those before and behind", () => {
  const parts: Message[] = [
    [{ kind: "uint32", value: 300 }],
    [[{ kind: "bytes", value: new Uint8Array(3).fill(1) }]],
    [[[{ kind: "bytes", value: new Uint8Array(130).fill(2) }]] as never],
    [{ kind: "string", value: "é".repeat(100) }, [{ kind: "string", value: "short" }]],
    [{ kind: "uint64", value: 2 ** 50 }],
    [{ kind: "int32", value: -1 }],
    // Longer than what is shared, and more than the rest of it.
    [{ kind: "bytes", value: new Uint8Array(3_000).fill(3) }],
    [[{ kind: "bytes", value: new Uint8Array(20_000).fill(4) }]],
  ];
  const expected = parts.map((each) => write(new BinaryWriter(), each).finish());
  for (let offset = 1_500; offset < 2_048; offset += 1) {
    const own = new ProtoWriter();
    const fill = (bytes: number): Uint8Array => own.begin().bytes(new Uint8Array(bytes).fill(9)).finish();
    const before = [2_000, 2_000, 2_000, offset].map((bytes) => ({ bytes, written: fill(bytes) }));
    const written = parts.map((each) => write(own.begin(), each).finish());
    const behind = parts.map((each) => write(own.begin(), each).finish());
    for (const [at, each] of expected.entries()) {
      if (Buffer.compare(written[at] ?? each, each) !== 0) expect.fail(`message ${at} at ${offset}`);
      if (Buffer.compare(behind[at] ?? each, each) !== 0) expect.fail(`message ${at} behind ${offset}`);
    }
    for (const { bytes, written: kept } of before)
      if (!kept.subarray(kept.length - bytes).every((byte) => byte === 9))
        expect.fail(`${bytes} bytes before ${offset}`);
  }
});

test("what is read is what the library reads", () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
      const bytes = write(new BinaryWriter(), fields).finish();
      const [own, theirs] = [new ProtoReader(bytes), new BinaryReader(bytes)];
      for (const { kind } of fields) {
        const read = theirs[kind]();
        expect(own[kind]()).toEqual(kind === "uint64" ? Number(read) : read);
        expect(own.pos).toBe(theirs.pos);
      }
    }),
  );
});

test("whatever bytes there are, reading them gives what the library gives, or a RangeError", () => {
  const kinds = ["uint32", "uint64", "int32", "sint32", "bool", "string", "bytes"] as const;
  const noise = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(noise, fc.array(fc.constantFrom(...kinds), { maxLength: 10 }), (bytes, asked) => {
      const [own, theirs] = [new ProtoReader(bytes), new BinaryReader(bytes)];
      for (const kind of asked) {
        let expected: unknown;
        try {
          expected = theirs[kind]();
        } catch {
          expected = undefined;
        }
        if (expected === undefined || (kind === "uint64" && Number(expected) > Number.MAX_SAFE_INTEGER)) {
          expect(() => own[kind]()).toThrow(RangeError);
          return;
        }
        expect(own[kind]()).toEqual(kind === "uint64" ? Number(expected) : expected);
      }
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["uint32", -1],
  ["uint32", 1.5],
  ["uint32", 2 ** 32],
  ["uint64", -1],
  ["uint64", 0.5],
  ["uint64", 2 ** 53],
  ["uint64", Number.NaN],
  ["int32", 2 ** 31 * -1 - 1],
  ["sint32", 2 ** 31],
] as const)("%s refuses %d, and the next message has nothing of it", (kind, value) => {
  const writer = new ProtoWriter();
  expect(() => writer.fork()[kind](value)).toThrow(RangeError);
  expect([...writer.begin().fork().uint32(7).join().finish()]).toEqual([1, 7]);
});

test("parts of a Buffer that was read are arrays of bytes: their `slice` is a copy", () => {
  const buffer = Buffer.from([2, 1, 2]);
  const bytes = new ProtoReader(buffer).bytes();
  const kept = bytes.slice();
  buffer.fill(9);
  expect(Buffer.isBuffer(bytes)).toBe(false);
  expect([...kept]).toEqual([1, 2]);
});

test("what is long doesn't hold on to the memory that short messages share", () => {
  const long = begin().bytes(new Uint8Array(100_000)).finish();
  expect(long.buffer.byteLength).toBeLessThan((long.byteLength * 4) / 3);
  expect(begin().uint32(1).finish().buffer.byteLength).toBeLessThan(10_000);
  // Room was made for more than it has.
  const roomy = begin().string("a".repeat(100_000)).finish();
  expect(roomy.buffer.byteLength).toBe(roomy.byteLength);
});

test("a message that holds itself is refused: nothing counts how deep a stranger's bytes nest", () => {
  const body = (inner: string): string =>
    `export const Tree: MessageFns<Tree> = {
  encode(message: Tree, writer: BinaryWriter = new BinaryWriter()): BinaryWriter {
    return writer;
  },

  decode(input: BinaryReader | Uint8Array, length?: number): Tree {
    const reader = input instanceof BinaryReader ? input : new BinaryReader(input);
    try {
      ${inner}.decode(reader, reader.uint32());
      return message;
    } finally {
      count();
    }
  },
};
`;
  expect(splitCodecs(body("Leaf"))).toContain("readLeaf(reader, reader.uint32())");
  expect(() => splitCodecs(body("Tree"))).toThrow("Tree holds itself");
});
