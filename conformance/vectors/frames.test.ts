/**
 * Golden frames: one of each kind of plugin/v1, host/v1 and actor/v1. TypeScript reads and writes them with the codecs of the schemas; C,
 * Rust and Python have what reads and writes fields, and find in each frame what is in it, no less and no more.
 *
 * Rust and Python hold themselves to the file in tests of their own, which run here; C has no JSON, so its program answers
 * line by line.
 */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { EngineToHostCodec, HostToEngineCodec } from "@troupe/protocol/host/v1";
import {
  HostBatchCodec,
  HostFrameCodec,
  PluginBatchCodec,
  PluginFrameCodec,
} from "@troupe/protocol/plugin/v1";
import { describe, expect, type TestContext, test } from "vitest";
import { cargo, sanitizedProgram } from "../../packages/plugins/test/support/built.ts";
import { findPython } from "../../packages/plugins/test/support/python.ts";
import { hex, unhex } from "../../packages/protocol/test/samples.ts";
import { framesOfSchemas, type GoldenFrame } from "./frames.ts";

const { frames: golden }: { readonly frames: readonly GoldenFrame[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "frames.golden.json"), "utf8"),
);

const codecs: Readonly<Record<string, (bytes: string) => { readonly kind: string; readonly bytes: string }>> =
  {
    HostFrame: (bytes) => by(HostFrameCodec, bytes),
    PluginFrame: (bytes) => by(PluginFrameCodec, bytes),
    EngineToHost: (bytes) => by(EngineToHostCodec, bytes),
    HostToEngine: (bytes) => by(HostToEngineCodec, bytes),
    HostBatch: (bytes) => by(HostBatchCodec, bytes),
    PluginBatch: (bytes) => by(PluginBatchCodec, bytes),
  };

/** Reads a frame, and writes what was read. */
function again(name: string, bytes: string): { readonly kind: string; readonly bytes: string } {
  const codec = codecs[name.split(".", 1)[0] ?? ""];
  if (codec === undefined) throw new Error(`nobody reads ${name}`);
  return codec(bytes);
}

interface Codec<T> {
  decode(bytes: Uint8Array): T;
  encode(frame: T): Uint8Array;
}

function by<T>(codec: Codec<T>, bytes: string) {
  const frame = codec.decode(unhex(bytes));
  return { kind: kindOf(frame), bytes: hex(codec.encode(frame)) };
}

/** What it is one of, down to the last. */
function kindOf(message: unknown): string {
  if (typeof message !== "object" || message === null) return "";
  for (const one of Object.values(message))
    if (typeof one === "object" && one !== null && "$case" in one && "value" in one)
      return `.${String(one.$case)}${kindOf(one.value)}`;
  return "";
}

/** A kind that has got more fields has another frame, with a number. */
function kindIn(name: string): string {
  return name.replace(/ \d+$/, "");
}

describe("the golden frames", () => {
  test("S1.9 are of each kind that the schemas have", () => {
    const names = new Set(golden.map(({ name }) => name));
    expect(names.size).toBe(golden.length);
    const kinds = framesOfSchemas();
    const known = new Set(golden.map(({ name, bytes }) => `${kindIn(name)} ${bytes}`));
    // One whose kind has got more fields gets the next number behind its name.
    const missing = kinds
      .filter(({ name, bytes }) => !known.has(`${name} ${bytes}`))
      .map((frame) => JSON.stringify(frame));
    expect(missing, "add these lines to frames.golden.json").toEqual([]);
    const gone = golden.filter(({ name }) => !kinds.some((kind) => kind.name === kindIn(name)));
    expect(gone, "what was released stays").toEqual([]);
  });

  test("S1.9 TypeScript reads and writes each", () => {
    for (const { name, bytes } of golden) {
      const { kind, bytes: written } = again(name, bytes);
      expect(written, name).toBe(bytes);
      expect(`${name.split(".", 1)[0]}${kind}`).toBe(kindIn(name));
    }
  });

  test("S1.9 C reads and writes each", { timeout: 120_000 }, async (context: TestContext) => {
    const built = await sanitizedProgram([join(import.meta.dirname, "frames.c")], "address,undefined");
    if (built.missing !== undefined) return context.skip(built.missing);
    const input = golden.map(({ bytes, fields }) => `${bytes} ${fields}\n`).join("");
    const { status, stdout, stderr } = spawnSync(built.path, { input, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const answers = stdout.trimEnd().split("\n");
    expect(answers).toHaveLength(golden.length);
    // It writes lengths of messages in more bytes than they need, which is the same.
    for (const [at, { name, bytes }] of golden.entries())
      expect(again(name, answers[at] ?? "").bytes, name).toBe(bytes);
  });

  test("S1.9 Rust reads and writes each", { timeout: 300_000 }, async (context: TestContext) => {
    const ran = await cargo(
      "test",
      "--release",
      "--locked",
      "--quiet",
      "-p",
      "troupe-plugin",
      "--lib",
      "golden",
    );
    if (ran.missing !== undefined) context.skip(ran.missing);
  });

  test("S1.9 Python reads and writes each", async (context: TestContext) => {
    const python = await findPython();
    if (python.missing !== undefined) return context.skip(python.missing);
    const how = { cwd: join(import.meta.dirname, "../../sdks/python") };
    await promisify(execFile)(python.path, ["-B", "-m", "unittest", "tests.test_frames"], how);
  });
});
