/**
 * The decoders between an engine and its hosts get any bytes, and messages with some of them changed: a message comes out that
 * says the same when it is said again, or an error, and never a long time or much memory.
 */
import { EngineToHostCodec, HostToEngineCodec } from "@troupe/protocol/host/v1";
import fc from "fast-check";
import { expect, test } from "vitest";

interface Codec<M> {
  encode(message: M): Uint8Array;
  decode(bytes: Uint8Array): M;
}

/** A field of protobuf, its number and its kind any: what is inside may be one again. */
const field: fc.Arbitrary<Uint8Array> = fc.letrec<{ field: Uint8Array; fields: Uint8Array }>((tie) => ({
  fields: fc.array(tie("field"), { maxLength: 4 }).map((all) => Buffer.concat(all)),
  field: fc
    .tuple(
      fc.integer({ min: 0, max: 32 }),
      fc.oneof(
        fc.nat(1 << 28).map((value) => ({ kind: 0, bytes: varint(value) })),
        fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => ({ kind: 1, bytes })),
        fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ kind: 2, bytes: prefixed(bytes) })),
        tie("fields").map((bytes) => ({ kind: 2, bytes: prefixed(bytes) })),
        fc.constant({ kind: 3, bytes: new Uint8Array(0) }),
        // Says that there is far more of it than there is.
        fc.constant({ kind: 2, bytes: varint(0x7fff_ffff) }),
      ),
    )
    .map(([number, { kind, bytes }]) => Buffer.concat([varint(number * 8 + kind), bytes])),
})).field;

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Uint8Array.from([...bytes, left]);
    bytes.push((left % 128) | 128);
  }
}

function prefixed(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint(bytes.byteLength), bytes]);
}

const messages = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.array(field, { maxLength: 5 }).map((fields) => Uint8Array.from(Buffer.concat(fields))),
);

function told<M>(codec: Codec<M>): void {
  let read = 0;
  fc.assert(
    fc.property(messages, (bytes) => {
      let message: M;
      try {
        message = codec.decode(bytes);
      } catch (cause) {
        expect(cause).toBeInstanceOf(Error);
        return;
      }
      read += 1;
      expect(codec.decode(codec.encode(message))).toEqual(message);
    }),
    { numRuns: 3_000 },
  );
  // One that refuses everything would pass as well.
  expect(read).toBeGreaterThan(200);
}

test("whatever bytes there are, what a host says is read whole or refused", () => told(HostToEngineCodec));

test("whatever bytes there are, what an engine says is read whole or refused", () => told(EngineToHostCodec));
