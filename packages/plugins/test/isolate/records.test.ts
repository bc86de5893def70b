/** Records and messages: whatever arrives, in whatever pieces, is read whole or refused. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { RecordList, RecordParts, readRecords } from "../../src/carriers/isolate/records.ts";
import { WireReader, WireWriter } from "../../src/carriers/isolate/wire.ts";

test("records come back as they were put in", () => {
  const list = new RecordList();
  list.frame(Uint8Array.of(1, 2, 3));
  list.timerSet(7, 1.5);
  list.timerCleared(7);
  list.timerFired(9);
  const read: unknown[] = [];
  const whole = readRecords(list.take(), {
    frame: (frame) => read.push([...frame]),
    timerSet: (timer, delayMs) => read.push(["set", timer, delayMs]),
    timerCleared: (timer) => read.push(["cleared", timer]),
    timerFired: (timer) => read.push(["fired", timer]),
  });
  expect([whole, read]).toEqual([
    true,
    [
      [1, 2, 3],
      ["set", 7, 1.5],
      ["cleared", 7],
      ["fired", 9],
    ],
  ]);
  expect(list.bytes).toBe(0);
});

test("any bytes are read or refused, and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(typeof readRecords(bytes, { frame: () => {} })).toBe("boolean");
    }),
  );
  expect(readRecords(Uint8Array.of(5, 0, 0, 0, 0, 1), { frame: () => {} })).toBe(false);
});

test("read in parts, a list is what it is in one go: the same records, and broken at the same place", () => {
  const lists = fc.tuple(fc.array(fc.uint8Array({ maxLength: 5 })), fc.uint8Array({ maxLength: 6 }));
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 4 }), ([frames, behind], most) => {
      const list = new RecordList();
      for (const frame of frames) list.frame(frame);
      const bytes = Buffer.concat([list.take(), behind]);
      const whole: number[][] = [];
      const isList = readRecords(bytes, { frame: (frame) => whole.push([...frame]) });
      const told: number[][] = [];
      const parts = new RecordParts(bytes, { frame: (frame) => told.push([...frame]) });
      for (let before = 0; ; before = told.length) {
        const read = parts.read(most);
        expect(told.length - before).toBeLessThanOrEqual(most);
        if (read === "more") continue;
        expect(read).toBe(isList ? "end" : "broken");
        break;
      }
      expect(told).toEqual(whole);
    }),
  );
});

/** What is written of the messages of one turn: one piece. */
async function written(messages: readonly (readonly [number, number, Uint8Array])[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const writer = new WireWriter((bytes) => void pieces.push(bytes));
  for (const message of messages) writer.say(...message);
  await new Promise((resolve) => process.nextTick(resolve));
  expect(pieces.length).toBe(messages.length === 0 ? 0 : 1);
  return Buffer.concat(pieces);
}

test("messages come whole, however the stream was cut", async () => {
  const message = fc.tuple(fc.nat(0xffff_ffff), fc.nat(255), fc.uint8Array({ maxLength: 40 }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 30 })),
      async (messages, cuts) => {
        const stream = await written(messages);
        const reader = new WireReader();
        const read: unknown[] = [];
        let at = 0;
        for (const length of [...cuts, stream.byteLength]) {
          for (const { isolate, kind, body } of reader.read(stream.subarray(at, at + length)))
            read.push([isolate, kind, Uint8Array.from(body)]);
          at += length;
        }
        expect(read).toEqual(messages);
      },
    ),
  );
});

test("a message that is longer than any may be is refused before it is collected", () => {
  const header = Buffer.alloc(9);
  header.writeUInt32LE(0xffff_ffff, 0);
  expect(() => [...new WireReader().read(header)]).toThrow(RangeError);
});
