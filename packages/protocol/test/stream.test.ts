/** A streamed result as an HTTP body: however its bytes are cut, the parts are the same. */
import { ENCODINGS, encodeStreamPart, limits, type StreamPart, StreamPartReader } from "@troupe/protocol";
import { describe, expect, test } from "vitest";
import { wireError } from "./frames.ts";

const parts: readonly StreamPart[] = [
  { kind: "item", item: "line\nbreak ä" },
  { kind: "item", item: undefined },
  { kind: "item", item: { n: 1n, bytes: Uint8Array.of(10, 13, 0) } },
  { kind: "error", error: wireError },
  { kind: "end" },
];

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

describe.each(ENCODINGS)("parts in %s", (encoding) => {
  const whole = joined(parts.map((part) => encodeStreamPart(part, encoding)));

  test("come back whatever the pieces are", () => {
    for (const size of [1, 2, 3, 7, 64, whole.byteLength]) {
      const reader = new StreamPartReader(encoding);
      const read: StreamPart[] = [];
      for (let start = 0; start < whole.byteLength; start += size)
        read.push(...reader.push(whole.subarray(start, start + size)));
      expect(read).toEqual(parts);
    }
  });

  test("that are no parts are refused by name", () => {
    const bad = encoding === "json" ? [0xff, 0x0a] : [0, 0, 0, 1, 0xff];
    expect(() => new StreamPartReader(encoding).push(Uint8Array.from(bad))).toThrow(
      expect.objectContaining({ group: "protocol", code: "malformed_frame" }),
    );
  });

  test("that are longer than any message are refused before they are here", () => {
    const reader = new StreamPartReader(encoding);
    const claimed = new Uint8Array(limits.outgoingMessageBytes + 8).fill(0x20);
    new DataView(claimed.buffer).setUint32(0, limits.outgoingMessageBytes + 1);
    expect(() => reader.push(claimed)).toThrow(expect.objectContaining({ code: "malformed_frame" }));
  });
});
