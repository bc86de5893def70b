/** The file of a module, and what waits for a plugin that takes nothing in. */
import { truncateSync } from "node:fs";
import type { TroupeError } from "@troupe/base";
import { engineLimits, limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import type { Carrier } from "../../src/carrier.ts";
import { wasmCarrier } from "../../src/carriers/wasm/wasm-carrier.ts";
import { assemble, op } from "../support/assemble.ts";
import { PluginFolder, sha256 } from "../support/plugin-folder.ts";

const silent = { frame: () => {}, ended: () => {} };
const ping = { body: { $case: "ping", value: { number: 1 } } } as const;

test("a module that isn't there, has other bytes, or is too large: each by its name, and nothing of it runs", async () => {
  using folder = new PluginFolder();
  const bytes = assemble({ code: { start: op.unreachable } });
  const wasm = folder.write("main.wasm", bytes);
  const refusal = (options: { wasm: string; sha256?: string }): Promise<unknown> =>
    Promise.resolve(wasmCarrier(options)(silent)).catch((error: unknown) => error);
  expect(await refusal({ wasm: `${wasm}.old` })).toMatchObject({ code: "wasm_missing" });
  expect(await refusal({ wasm: folder.path })).toMatchObject({ code: "wasm_missing" });
  expect(await refusal({ wasm, sha256: sha256("other") })).toMatchObject({
    code: "integrity_mismatch",
    metadata: { expected: sha256("other"), found: sha256(bytes) },
  });
  expect(await refusal({ wasm, sha256: sha256(bytes).toUpperCase() })).toMatchObject({ code: "trapped" });
  truncateSync(wasm, engineLimits.wasmModuleBytes + 1);
  expect(await refusal({ wasm })).toMatchObject({
    code: "wasm_too_large",
    metadata: { bytes: engineLimits.wasmModuleBytes + 1, limit: engineLimits.wasmModuleBytes },
  });
});

test("a first load that fails isn't kept, and a module that was rebuilt in place is loaded as what it is now", async () => {
  using folder = new PluginFolder();
  const wasm = folder.write("main.wasm", assemble({ code: { troupe_plugin_open: op.i32(7) } }));
  const open = wasmCarrier({ wasm });
  await expect(open(silent)).rejects.toMatchObject({
    code: "open_failed",
    message: expect.stringContaining("gave 7"),
  });
  folder.write("main.wasm", assemble({ code: { troupe_plugin_open: op.i32(8) } }));
  await expect(open(silent)).rejects.toMatchObject({
    code: "open_failed",
    message: expect.stringContaining("gave 8"),
  });
  folder.write("main.wasm", assemble());
  expect(await (await open(silent)).close(10_000)).toEqual({ clean: true });
});

test("a module may be given less memory than the limit", async () => {
  const wasm = async () => assemble();
  const opened = (memoryBytes: number): Promise<Carrier> => wasmCarrier({ wasm, memoryBytes })(silent);
  await expect(opened(16 * 65_536 - 1)).rejects.toMatchObject({
    code: "wasm_refused",
    message: expect.stringContaining("1048576 bytes; the limit is 1048575"),
  });
  await (await opened(16 * 65_536)).close(5_000);
});

test("frames for one that doesn't give its turn back wait, up to a limit; then it is ended, once", async () => {
  const warnings: string[] = [];
  const warned = ({ name, message }: Error): void => void warnings.push(`${name}: ${message}`);
  process.on("warning", warned);
  const end = Promise.withResolvers<TroupeError | undefined>();
  const wasm = async () => assemble({ code: { troupe_plugin_push: op.forever } });
  const carrier = await wasmCarrier({ wasm, timeLimitMs: 60_000 })({ ...silent, ended: end.resolve });
  carrier.send(ping);
  // Its turn begins when this one's microtasks have run.
  await Promise.resolve();
  // What is sent to one that is on its way out changes nothing.
  for (let frames = 0; frames <= limits.pluginWaitingFrames + 20; frames += 1) carrier.send(ping);
  expect(await end.promise).toMatchObject({
    code: "stalled",
    metadata: { what: "frames", limit: limits.pluginWaitingFrames },
  });
  expect(await carrier.close(1_000)).toEqual({ clean: true });
  process.off("warning", warned);
  expect(warnings).toEqual([]);
});

test("five opened at once are five, and the end of one is nobody else's", async () => {
  const wasm = async () => assemble();
  const ends: (TroupeError | undefined)[] = [];
  const ended = (error: TroupeError | undefined): void => void ends.push(error);
  const carriers = await Promise.all(
    Array.from({ length: 5 }, () => wasmCarrier({ wasm })({ ...silent, ended })),
  );
  const bad = await wasmCarrier({ wasm: async () => new Uint8Array(3) })(silent).catch((error) => error);
  expect(bad).toMatchObject({ code: "not_wasm" });
  expect(await Promise.all(carriers.map((carrier) => carrier.close(10_000)))).toEqual(
    carriers.map(() => ({ clean: true })),
  );
  expect(ends).toEqual(carriers.map(() => undefined));
});
