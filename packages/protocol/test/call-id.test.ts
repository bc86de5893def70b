import {
  type ActionFrame,
  type ClientFrame,
  callIdIn,
  type Encoding,
  encodeClientFrame,
} from "@troupe/protocol";
import { expect, test } from "vitest";

const ids = [0, 7, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
const encodings: readonly Encoding[] = ["json", "cbor"];

test.each(encodings)("the id of a call is read from the head of its frame: %s", (encoding) => {
  for (const id of ids) {
    const action: ActionFrame = {
      kind: "action",
      id,
      name: "a",
      args: ["x".repeat(1_000)],
      idempotencyKey: "k",
    };
    const send: ClientFrame = { kind: "send", id, name: "q", body: 1, wait: true };
    expect(callIdIn(encodeClientFrame(action, encoding), encoding)).toBe(id);
    expect(callIdIn(encodeClientFrame(send, encoding), encoding)).toBe(id);
  }
});

test.each(encodings)("of whatever else comes nothing is said: %s", (encoding) => {
  const others: readonly ClientFrame[] = [
    { kind: "subscribe", id: 1, event: "e" },
    { kind: "cancel", id: 1 },
    { kind: "ping" },
  ];
  for (const frame of others) expect(callIdIn(encodeClientFrame(frame, encoding), encoding)).toBeUndefined();
  const action = encodeClientFrame({ kind: "action", id: 70_000, name: "a", args: [] }, encoding);
  for (let length = 0; length < 20; length += 1)
    expect(callIdIn(action.slice(0, length), encoding)).toBeUndefined();
  const [text, bytes] = ['{"kind":"action","id":99999999999999999,', Uint8Array.of(0x84, 1, 2, 3, 4)];
  expect(callIdIn(encoding === "json" ? text : bytes, encoding)).toBeUndefined();
  expect(callIdIn(encoding === "json" ? bytes : text, encoding)).toBeUndefined();
  expect(
    callIdIn(encoding === "json" ? '{"id":1,"kind":"action","x":' : new Uint8Array(0), encoding),
  ).toBeUndefined();
});
