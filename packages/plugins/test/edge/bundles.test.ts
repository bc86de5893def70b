/** What goes to the edge: a bundle with actors in TypeScript alone, and one whose actors are modules of WebAssembly. */
import { readFile } from "node:fs/promises";
import { createClient } from "@troupe/client";
import { remoteActor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { bundle, EdgeHost } from "../../../runtime/test/edge/workerd.ts";
import { keeperInC, wasmExample, wasmPlugin, wasmPluginAt } from "../support/built.ts";

const TOKEN = "bundle-secret";

/** What only an adapter may take in, and nothing of the edge's has. */
const raw = /["'`](?:node:[a-z/_]+|koffi|isolated-vm|@lydell\/node-pty)["'`]/;

test("S3.10 the edge bundle has no raw binding and nothing of Node's, is built and run, with and without the WebAssembly guest", {
  timeout: 120_000,
}, async (context) => {
  const built = await Promise.all([wasmExample("counter"), wasmPlugin("faulty"), wasmPluginAt(...keeperInC)]);
  const paths = built.map((one) => (one.missing === undefined ? one.path : context.skip(one.missing)));
  const [counter, faulty, kept] = await Promise.all(paths.map((path) => readFile(path)));
  if (counter === undefined || faulty === undefined || kept === undefined)
    throw new Error("a module is missing");
  const modules = { "counter.wasm": counter, "faulty.wasm": faulty, "keeper.wasm": kept };
  const without = await bundle("./worker.ts");
  const withGuest = await bundle("../../../plugins/test/edge/worker.ts");
  for (const script of [without, withGuest]) expect(script).not.toMatch(raw);
  expect(without).not.toContain("WebAssembly");
  expect(withGuest).toContain("WebAssembly");

  const registry = setup({ use: { counter: remoteActor() }, hosts: { token: TOKEN } });
  const { endpoint } = await registry.start({
    port: 0,
    durability: "memory",
    signals: false,
    banner: false,
  });
  const client = createClient(endpoint);
  try {
    const increment = (key: string) =>
      client.getOrCreate("counter", [key]).action({ name: "increment", args: [2] });
    for (const [script, brought] of [
      [without, {}],
      [withGuest, modules],
    ] as const) {
      const [host, said] = await EdgeHost.start(script, { ENGINE: endpoint, TOKEN }, brought);
      await using _ = host;
      expect(said).toBe("data: ready\n\n");
      expect(await increment(brought === modules ? "wasm" : "plain")).toBe(2);
    }
  } finally {
    await client.dispose();
    await registry.stop();
  }
});
