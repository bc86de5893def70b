/**
 * Every decoder gets noise and valid messages with a few bytes changed. Whatever comes in, either a value comes out
 * or a TroupeError of the documented groups, and no message takes long. A failure prints the seed that replays it.
 */
import { TroupeError } from "@troupe/base";
import {
  decodeBody,
  decodeCbor,
  decodeClientFrame,
  decodeHello,
  decodeJson,
  decodeKey,
  decodeOpening,
  decodeServerFrame,
  encodeCbor,
  encodeClientFrame,
  encodeHello,
  encodeJson,
  encodeServerFrame,
  encodeWelcome,
} from "@troupe/protocol";
import { expect, test } from "vitest";
import {
  clientFrames,
  hellos,
  openings,
  serverFrames,
  streamClientFrames,
  streamServerFrames,
} from "./frames.ts";
import { samples } from "./samples.ts";

const GROUPS = new Set(["value", "protocol", "key"]);
const BUDGET_MS = 1_500;
const SLOW_MS = 500;

/** A generator of its own (mulberry32), so that the seed in a failure's line replays it. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const texts = [
  ...[...samples.values()].map((value) => encodeJson(value)),
  ...[...clientFrames, ...streamClientFrames].map((frame) => encodeClientFrame(frame, "json")),
  ...[...serverFrames, ...streamServerFrames].map((frame) => encodeServerFrame(frame, "json")),
  ...hellos.map(encodeHello),
  ...openings.map(encodeWelcome),
].map(String);

const binaries = [
  ...[...samples.values()].map((value) => encodeCbor(value)),
  ...[...clientFrames, ...streamClientFrames].map((frame) => encodeClientFrame(frame, "cbor")),
  ...[...serverFrames, ...streamServerFrames].map((frame) => encodeServerFrame(frame, "cbor")),
].map((message) => (typeof message === "string" ? new TextEncoder().encode(message) : message));

const TOKENS = [
  "__proto__",
  "constructor",
  '["$Map",',
  '["$Error",',
  "\\u0024",
  "[[[[",
  "]]",
  "{",
  "}",
  '"',
  "1e999",
  "-0",
];

const textDecoders: readonly ((text: string) => unknown)[] = [
  decodeJson,
  (text) => decodeClientFrame(text, "json"),
  (text) => decodeServerFrame(text, "json"),
  (text) => decodeBody("action", text, "json"),
  (text) => decodeBody("resolveAnswer", text, "json"),
  decodeHello,
  decodeOpening,
  decodeKey,
];

const binaryDecoders: readonly ((bytes: Uint8Array) => unknown)[] = [
  decodeCbor,
  (bytes) => decodeClientFrame(bytes, "cbor"),
  (bytes) => decodeServerFrame(bytes, "cbor"),
  (bytes) => decodeBody("action", bytes, "cbor"),
  (bytes) => decodeBody("actionAnswer", bytes, "json"),
];

function attempt(seed: number, decode: () => unknown): "value" | "error" {
  const before = process.threadCpuUsage();
  try {
    encodeJson(decode());
    return "value";
  } catch (error) {
    if (TroupeError.is(error) && GROUPS.has(error.group)) return "error";
    throw new Error(`seed ${seed}: ${error}`, { cause: error });
  } finally {
    // Of this thread alone: how busy the machine is says nothing of a decoder.
    const { user, system } = process.threadCpuUsage(before);
    const took = (user + system) / 1000;
    if (took > SLOW_MS) expect.fail(`seed ${seed} took ${took} ms of the processor`);
  }
}

function mutatedText(below: (limit: number) => number): string {
  let text = texts[below(texts.length)] ?? "";
  for (let times = below(4); times >= 0; times--) {
    const at = below(text.length + 1);
    const token = below(3) === 0 ? (TOKENS[below(TOKENS.length)] ?? "") : String.fromCharCode(below(128));
    text = text.slice(0, at) + token + text.slice(at + below(3));
  }
  return text;
}

function mutatedBytes(below: (limit: number) => number): Uint8Array {
  if (below(4) === 0) return Uint8Array.from({ length: below(64) }, () => below(256));
  const bytes = Uint8Array.from(binaries[below(binaries.length)] ?? []);
  for (let times = below(4); times >= 0 && bytes.length > 0; times--) bytes[below(bytes.length)] = below(256);
  return below(4) === 0 ? bytes.subarray(0, below(bytes.length + 1)) : bytes;
}

/** Runs seeds until the time is up, and says how many ended how: a fuzzer that only ever sees one end is blind. */
function fuzz(one: (seed: number, below: (limit: number) => number) => ("value" | "error")[]): void {
  const first = Number(process.env.FUZZ_SEED ?? Date.now() & 0xffffff);
  const seen = { value: 0, error: 0 };
  const end = performance.now() + BUDGET_MS;
  for (let seed = first; performance.now() < end; seed++) {
    for (const outcome of one(seed, generator(seed))) seen[outcome]++;
  }
  expect(seen.value).toBeGreaterThan(100);
  expect(seen.error).toBeGreaterThan(1_000);
}

test("no text makes a decoder fail otherwise than by a TroupeError", () => {
  fuzz((seed, below) => {
    const text = mutatedText(below);
    return textDecoders.map((decode) => attempt(seed, () => decode(text)));
  });
});

test("no bytes make a decoder fail otherwise than by a TroupeError", () => {
  fuzz((seed, below) => {
    const bytes = mutatedBytes(below);
    return binaryDecoders.map((decode) => attempt(seed, () => decode(bytes)));
  });
});
