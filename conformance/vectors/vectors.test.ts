/**
 * Golden encodings of values: TypeScript, C, Rust and Python each read and write every one alike, and refuse alike what is
 * none. `samples.ts` says what each stands for.
 *
 * Rust and Python hold themselves to the file in tests of their own, which run here; C has no JSON, so its program answers
 * line by line, and what it says is read by TypeScript.
 */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { decodeCbor, decodeJson, encodeCbor, encodeJson } from "@troupe/protocol";
import { describe, expect, type TestContext, test } from "vitest";
import { cargo, sanitizedProgram, sdkSource } from "../../packages/plugins/test/support/built.ts";
import { findPython } from "../../packages/plugins/test/support/python.ts";
import { expectSame, hex, received, samples, unhex } from "../../packages/protocol/test/samples.ts";

interface Golden {
  readonly name: string;
  readonly json: string;
  readonly cbor: string;
}

const file = readFileSync(join(import.meta.dirname, "values.golden.json"), "utf8");
const golden: { readonly values: readonly Golden[]; readonly refused: readonly Omit<Golden, "json">[] } =
  JSON.parse(file);

/** All proper beginnings of values: none of them is one. */
const cut = golden.values.flatMap(({ cbor }) =>
  Array.from({ length: cbor.length / 2 }, (_, bytes) => cbor.slice(0, bytes * 2)),
);
const noValues = [...golden.refused.map(({ cbor }) => cbor), ...cut];

function expected(name: string): unknown {
  return received.has(name) ? received.get(name) : samples.get(name);
}

describe("the golden encodings", () => {
  test("S1.9 TypeScript reads and writes each, and refuses what is none", () => {
    expect(golden.values.map(({ name }) => name)).toEqual([...samples.keys()]);
    for (const { name, json, cbor } of golden.values) {
      expect(encodeJson(samples.get(name)), name).toBe(json);
      expect(hex(encodeCbor(samples.get(name))), name).toBe(cbor);
      expectSame(decodeJson(json), expected(name));
      expectSame(decodeCbor(unhex(cbor)), expected(name));
    }
    for (const cbor of noValues) expect(() => decodeCbor(unhex(cbor)), cbor).toThrow();
  });

  test("S1.9 C reads and writes each, and refuses what is none", {
    timeout: 120_000,
  }, async (context: TestContext) => {
    const built = await sanitizedProgram(
      [
        join(import.meta.dirname, "values.c"),
        ...["troupe_value_read.c", "troupe_value_write.c"].map(sdkSource),
      ],
      "address,undefined",
    );
    if (built.missing !== undefined) return context.skip(built.missing);
    const input = [...golden.values.map(({ cbor }) => cbor), ...noValues].map((line) => `${line}\n`).join("");
    const { status, stdout, stderr } = spawnSync(built.path, {
      input,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const answers = stdout.trimEnd().split("\n");
    expect(answers).toHaveLength(golden.values.length + noValues.length);
    for (const [at, { name, cbor }] of golden.values.entries()) {
      const [json = "", written] = (answers[at] ?? "").split("\t");
      expect(written, name).toBe(cbor);
      expectSame(decodeJson(json), expected(name));
    }
    const read = noValues.filter((_, at) => answers[golden.values.length + at] !== "refused");
    expect(read).toEqual([]);
  });

  test("S1.9 Rust reads and writes each, and refuses what is none", {
    timeout: 300_000,
  }, async (context: TestContext) => {
    const ran = await cargo("test", "--release", "--locked", "--quiet", "--test", "vectors");
    if (ran.missing !== undefined) context.skip(ran.missing);
  });

  test("S1.9 Python reads and writes each, and refuses what is none", async (context: TestContext) => {
    const python = await findPython();
    if (python.missing !== undefined) return context.skip(python.missing);
    const how = { cwd: join(import.meta.dirname, "../../sdks/python") };
    await promisify(execFile)(python.path, ["-B", "-m", "unittest", "tests.test_values"], how);
  });
});
