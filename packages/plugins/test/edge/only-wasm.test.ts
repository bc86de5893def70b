/** `setup({ runtime: "wasm" })`: what of plugins is more than a module of WebAssembly is refused before it is looked for. */
import { setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { pluginActor } from "../../src/plugin-actor.ts";

const nowhere = { endpoint: "http://127.0.0.1:9", token: "secret", signals: false } as const;

test("a native library isn't loaded where a program takes WebAssembly alone, and a module is read", async () => {
  const host = (code: { library: string } | { wasm: string }): Promise<unknown> =>
    setup({ use: { it: pluginActor(code) }, runtime: "wasm" })
      .startHost(nowhere)
      .catch((error: unknown) => error);
  expect(await host({ library: "./none.so" })).toMatchObject({ group: "plugin", code: "runtime_refused" });
  expect(await host({ wasm: "./none.wasm" })).toMatchObject({ group: "plugin", code: "wasm_missing" });
});
