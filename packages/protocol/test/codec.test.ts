import { TroupeError } from "@troupe/base";
import {
  decodeBody,
  decodeClientFrame,
  decodeHello,
  decodeOpening,
  decodeServerFrame,
  ENCODINGS,
  encodeActionAnswer,
  encodeBody,
  encodeCbor,
  encodeClientFrame,
  encodeEvent,
  encodeHello,
  encodeJson,
  encodeReply,
  encodeServerFrame,
  encodeWelcome,
  limits,
  negotiateVersion,
} from "@troupe/protocol";
import { describe, expect, test } from "vitest";
import {
  actionBodies,
  clientFrames,
  hellos,
  limitedOpenings,
  openings,
  retainedClientFrames,
  retainedServerFrames,
  sendBodies,
  sendFrames,
  serverFrames,
  streamClientFrames,
  streamServerFrames,
  wireError,
} from "./frames.ts";
import { expectSame } from "./samples.ts";

describe.each(ENCODINGS)("frames in %s", (encoding) => {
  test("come back as they were sent", () => {
    for (const frame of [...clientFrames, ...sendFrames, ...streamClientFrames, ...retainedClientFrames]) {
      expectSame(decodeClientFrame(encodeClientFrame(frame, encoding), encoding), frame);
    }
    for (const frame of [...serverFrames, ...streamServerFrames, ...retainedServerFrames]) {
      expectSame(decodeServerFrame(encodeServerFrame(frame, encoding), encoding), frame);
    }
  });

  test("have the bytes of the whole frame as one value", () => {
    const encode = encoding === "json" ? encodeJson : encodeCbor;
    for (const frame of [...clientFrames, ...sendFrames, ...streamClientFrames, ...retainedClientFrames])
      expect(encodeClientFrame(frame, encoding)).toEqual(encode(frame));
    for (const frame of [...serverFrames, ...streamServerFrames, ...retainedServerFrames])
      expect(encodeServerFrame(frame, encoding)).toEqual(encode(frame));
    expect(encodeActionAnswer(["$", 1n], encoding)).toEqual(encodeBody({ output: ["$", 1n] }, encoding));
    expect(encodeActionAnswer(undefined, encoding)).toEqual(encodeBody({}, encoding));
  });

  test("hold values as deep as values may be, and no deeper", () => {
    let deep: unknown = 1;
    for (let level = 0; level < limits.valueDepth; level++) deep = [deep];
    const reply = encodeReply(1, deep, encoding);
    expect(decodeServerFrame(reply, encoding)).toEqual({ kind: "reply", id: 1, output: deep });
    const failed = { ...wireError, metadata: deep };
    expect(
      decodeServerFrame(encodeServerFrame({ kind: "error", error: failed }, encoding), encoding),
    ).toEqual({
      kind: "error",
      error: failed,
    });
    let deeper = deep;
    for (let level = 0; level < 3; level++) deeper = [deeper];
    expect(codeOf(() => encodeReply(1, deeper, encoding))).toBe("value.too_deep");
  });

  test("name the place of a value that can't be sent", () => {
    const place = (act: () => unknown) => failure(act).metadata?.path;
    expect(place(() => encodeReply(1, { f: test }, encoding))).toBe("output.f");
    expect(place(() => encodeEvent("e", [1, test], encoding))).toBe("args[1]");
    expect(place(() => encodeClientFrame({ kind: "action", id: 1, name: "a", args: [test] }, encoding))).toBe(
      "args[0]",
    );
    expect(place(() => encodeBody({ args: [{ s: Symbol("s") }] }, encoding))).toBe("args[0].s");
  });

  test("ignore properties that a later version may add", () => {
    const encode = encoding === "json" ? encodeJson : encodeCbor;
    const later = encode({ kind: "action", id: 1, name: "a", args: [], deadlineMs: 5 });
    expect(decodeClientFrame(later, encoding)).toEqual({ kind: "action", id: 1, name: "a", args: [] });
  });

  const malformed: readonly unknown[] = [
    null,
    [],
    5,
    {},
    new Map([["kind", "ping"]]),
    { kind: 1 },
    { kind: "constructor" },
    { kind: "reply", id: 1 },
    { kind: "action", name: "a", args: [] },
    { kind: "action", id: -1, name: "a", args: [] },
    { kind: "action", id: 1.5, name: "a", args: [] },
    { kind: "action", id: 2 ** 53, name: "a", args: [] },
    { kind: "action", id: "1", name: "a", args: [] },
    { kind: "action", id: 1n, name: "a", args: [] },
    { kind: "action", id: 1, name: "", args: [] },
    { kind: "action", id: 1, name: "x".repeat(limits.memberNameLength + 1), args: [] },
    { kind: "action", id: 1, name: ["a"], args: [] },
    { kind: "action", id: 1, name: "a" },
    { kind: "action", id: 1, name: "a", args: {} },
    { kind: "action", id: 1, name: "a", args: new Set([1]) },
    { kind: "subscribe", id: 1 },
    { kind: "subscribe", event: "e" },
    { kind: "unsubscribe", event: null },
    { kind: "send", id: 1 },
    { kind: "send", id: 1, name: "" },
    { kind: "send", id: 1, name: "jobs", wait: 1 },
    { kind: "send", id: 1, name: "jobs", timeoutMs: -1 },
    { kind: "send", id: 1, name: "jobs", timeoutMs: Number.NaN },
    { kind: "send", id: 1, name: "jobs", ticket: "" },
    { kind: "send", id: 1, name: "jobs", ticket: "x".repeat(65) },
  ];
  test.each(malformed.map((value, index) => ({ index, value })))(
    "refuse what isn't one ($index)",
    ({ value }) => {
      const encode = encoding === "json" ? encodeJson : encodeCbor;
      expect(codeOf(() => decodeClientFrame(encode(value), encoding))).toBe("protocol.malformed_frame");
    },
  );

  test("refuse an error that isn't one", () => {
    const encode = encoding === "json" ? encodeJson : encodeCbor;
    for (const error of [undefined, "x", {}, { ...wireError, retryable: 1 }, { ...wireError, code: 5 }]) {
      const message = encode({ kind: "error", error });
      expect(codeOf(() => decodeServerFrame(message, encoding))).toBe("protocol.malformed_frame");
    }
  });

  test("bodies come back as they were sent", () => {
    for (const body of actionBodies)
      expectSame(decodeBody("action", encodeBody(body, encoding), encoding), body);
    for (const body of sendBodies) expectSame(decodeBody("send", encodeBody(body, encoding), encoding), body);
    const failed = { error: { ...wireError, metadata: { n: 1n } } };
    expectSame(decodeBody("actionAnswer", encodeBody(failed, encoding), encoding), failed);
    expectSame(decodeBody("resolveAnswer", encodeBody(failed, encoding), encoding), failed);
    expectSame(decodeBody("actionAnswer", encodeBody({ output: [1] }, encoding), encoding), { output: [1] });
    expectSame(decodeBody("resolve", encodeBody({ input: 1 }, encoding), encoding), { input: 1 });
    expectSame(decodeBody("resolveAnswer", encodeBody({ actorId: "a" }, encoding), encoding), {
      actorId: "a",
    });
  });

  test("a request without a body is an empty one, an answer without one is malformed", () => {
    expect(decodeBody("action", new Uint8Array(), encoding)).toEqual({});
    expect(decodeBody("resolve", new Uint8Array(), encoding)).toEqual({});
    expect(codeOf(() => decodeBody("resolveAnswer", new Uint8Array(), encoding))).toBe(
      "protocol.malformed_frame",
    );
  });

  test("a body of the wrong shape is refused", () => {
    const encode = encoding === "json" ? encodeJson : encodeCbor;
    for (const body of [[], 1, { args: {} }, { args: null }]) {
      expect(codeOf(() => decodeBody("action", encode(body), encoding))).toBe("protocol.malformed_frame");
    }
    expect(codeOf(() => decodeBody("resolveAnswer", encode({ actorId: 1 }), encoding))).toBe(
      "protocol.malformed_frame",
    );
  });
});

test("JSON bodies may come as bytes, with a byte order mark or without", () => {
  expect(decodeBody("action", new TextEncoder().encode('{"args":["ż"]}'), "json")).toEqual({ args: ["ż"] });
  expect(decodeBody("action", new TextEncoder().encode("\ufeff{}"), "json")).toEqual({});
  expect(codeOf(() => decodeBody("action", Uint8Array.of(123, 255, 125), "json"))).toBe(
    "protocol.malformed_frame",
  );
});

test("text is not CBOR and bytes are not JSON", () => {
  expect(codeOf(() => decodeClientFrame('{"kind":"ping"}', "cbor"))).toBe("protocol.malformed_frame");
  expect(codeOf(() => decodeClientFrame(encodeCbor({ kind: "ping" }), "json"))).toBe(
    "protocol.malformed_frame",
  );
});

test("a forbidden key in an argument is the value's error, not the frame's", () => {
  const text = '{"kind":"action","id":1,"name":"a","args":[{"__proto__":{}}]}';
  expect(failure(() => decodeClientFrame(text, "json"))).toMatchObject({
    group: "value",
    code: "forbidden_key",
    metadata: { path: "args[0]" },
  });
});

describe("the first messages", () => {
  test("come back as they were sent, as JSON", () => {
    for (const hello of hellos) expectSame(decodeHello(encodeHello(hello)), hello);
    for (const opening of [...openings, ...limitedOpenings])
      expectSame(decodeOpening(encodeWelcome(opening)), opening);
  });

  const check: readonly [what: string, text: string, code: string][] = [
    ["not JSON", "hi", "protocol.malformed_frame"],
    ["a frame", '{"kind":"ping"}', "protocol.malformed_frame"],
    ["no versions", '{"kind":"hello","encoding":"json"}', "protocol.malformed_frame"],
    [
      "versions that aren't",
      '{"kind":"hello","versions":["1"],"encoding":"json"}',
      "protocol.malformed_frame",
    ],
    [
      "no common version",
      '{"kind":"hello","versions":[9,8],"encoding":"json"}',
      "protocol.version_unsupported",
    ],
    ["a later version with another shape", '{"kind":"hello","versions":[2]}', "protocol.version_unsupported"],
    ["no version at all", '{"kind":"hello","versions":[],"encoding":"json"}', "protocol.version_unsupported"],
    [
      "an unknown encoding",
      '{"kind":"hello","versions":[1],"encoding":"bare"}',
      "protocol.encoding_unsupported",
    ],
    ["no encoding", '{"kind":"hello","versions":[1]}', "protocol.malformed_frame"],
  ];
  test.each(check)("%s is refused", (_what, text, code) => {
    expect(codeOf(() => decodeHello(text))).toBe(code);
  });

  test("a refusal of the version tells what is spoken", () => {
    expect(failure(() => negotiateVersion([2, 3])).metadata).toEqual({ supported: [1] });
    expect(negotiateVersion([3, 1, 2])).toBe(1);
  });

  test("a client refuses a welcome that it can't follow", () => {
    const welcome = { kind: "welcome", version: 1, actorId: "a", connectionId: "c", heartbeatMs: 1 };
    const bad: readonly object[] = [
      { version: 2 },
      { heartbeatMs: 0 },
      { heartbeatMs: 1e12 },
      { actorId: 1 },
      { maxIncomingBytes: 0 },
      { maxIncomingBytes: "64 KiB" },
    ];
    for (const part of bad) {
      expect(codeOf(() => decodeOpening(JSON.stringify({ ...welcome, ...part })))).toMatch(/^protocol\./);
    }
  });
});

function failure(act: () => unknown): TroupeError {
  try {
    act();
  } catch (error) {
    if (TroupeError.is(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function codeOf(act: () => unknown): string {
  const { group, code } = failure(act);
  return `${group}.${code}`;
}
