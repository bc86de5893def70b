/**
 * Actors in Rust as modules of WebAssembly, in a thread of a program in Node, on a remote host in Node and in workerd, with SQL: the
 * same sources that are native plugins. One story for every place.
 */
import { readFile } from "node:fs/promises";
import { createClient } from "@troupe/client";
import { remoteActor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { bundleText, EdgeHost } from "../../../runtime/test/edge/workerd.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { rustWasmExample } from "../support/built.ts";

const TOKEN = "rust-secret";
const quiet = { port: 0, durability: "memory", signals: false, banner: false } as const;
const needs = ["database"] as const;
/** Cargo builds each example once; the first run here compiles what they need. */
const patient = { timeout: 290_000 };

const worker = `
  import { startHost } from "@troupe/runtime/edge";
  import { pluginActor } from "@troupe/plugins/edge";
  import counter from "./counter.wasm";
  import tally from "./tally.wasm";
  const use = {
    counter: pluginActor({ wasm: counter, options: { sleepTimeout: 100 } }),
    tally: pluginActor({ wasm: tally, needs: ["database"], options: { sleepTimeout: 100 } }),
  };
  export default {
    fetch: (_request, { ENGINE, TOKEN }) => startHost({ use, endpoint: ENGINE, token: TOKEN }).response(),
  };
`;

async function counts(endpoint: string, asleep: () => Promise<unknown>): Promise<void> {
  const client = createClient(endpoint);
  const connection = client.getOrCreate("counter", ["a"]).connect();
  const heard = new Promise((resolve) => connection.on("changed", resolve));
  expect(await connection.action({ name: "increment", args: [2] })).toBe(2);
  expect(await heard).toBe(2);
  const wrong = connection.action({ name: "increment", args: ["much"] });
  await expect(wrong).rejects.toMatchObject({ code: "not_a_number" });
  await connection.dispose();
  await asleep();
  expect(await client.getOrCreate("counter", ["a"]).action({ name: "increment", args: [3] })).toBe(5);
  await client.dispose();
}

/** An action that asks goes on when it is answered, whatever others do meanwhile. */
async function marks(endpoint: string, asleep: () => Promise<unknown>): Promise<void> {
  const client = createClient(endpoint);
  const tally = client.getOrCreate("tally", ["a"]);
  const mark = (what: string): Promise<unknown> => tally.action({ name: "mark", args: [what] });
  const ids = await Promise.all(["one", "two", "three"].map(mark));
  expect(ids.toSorted()).toEqual([1, 2, 3]);
  await expect(tally.action({ name: "wrong" })).rejects.toMatchObject({ group: "internal", code: "error" });
  await asleep();
  expect(await tally.action({ name: "marks" })).toMatchObject({
    asked: 3,
    marks: ["one", "two", "three"].map((what) => ({ what })),
  });
  await client.dispose();
}

/** The story on a host that `start` makes: its code is there, and all that is its own is the engine's. */
async function onHost(start: (endpoint: string) => Promise<AsyncDisposable>): Promise<void> {
  const use = { counter: remoteActor(), tally: remoteActor({ database: true }) };
  const registry = setup({ use, hosts: { token: TOKEN } });
  const { endpoint } = await registry.start(quiet);
  {
    await using _ = await start(endpoint);
    const instances = (): number => registry.remoteHosts.list().reduce((sum, one) => sum + one.instances, 0);
    const asleep = (): Promise<unknown> => expect.poll(instances, { timeout: 60_000 }).toBe(0);
    await counts(endpoint, asleep);
    await marks(endpoint, asleep);
  }
  await registry.stop();
}

test(
  "actors in Rust as modules of WebAssembly: in Node's thread, and with remote SQL on a host in Node and in workerd",
  patient,
  async (context) => {
    const [counter, tally] = [await rustWasmExample("counter"), await rustWasmExample("tally")];
    if (counter.missing !== undefined) return context.skip(counter.missing);
    if (tally.missing !== undefined) return context.skip(tally.missing);
    const use = {
      counter: pluginActor({ wasm: counter.path }),
      tally: pluginActor({ wasm: tally.path, needs }),
    };
    const embedded = setup({ use });
    const { endpoint } = await embedded.start(quiet);
    await counts(endpoint, () => Promise.resolve());
    await marks(endpoint, () => Promise.resolve());
    await embedded.stop();

    const onNode = setup({
      use: {
        counter: pluginActor({ wasm: counter.path, options: { sleepTimeout: 100 } }),
        tally: pluginActor({ wasm: tally.path, needs, options: { sleepTimeout: 100 } }),
      },
    });
    await onHost(async (engine) => {
      const host = await onNode.startHost({ endpoint: engine, token: TOKEN, signals: false });
      return { [Symbol.asyncDispose]: async () => host.close() };
    });

    const modules = {
      "counter.wasm": await readFile(counter.path),
      "tally.wasm": await readFile(tally.path),
    };
    await onHost(async (engine) => {
      const bindings = { ENGINE: engine, TOKEN };
      const [host, said] = await EdgeHost.start(await bundleText(worker), bindings, modules);
      expect(said).toBe("data: ready\n\n");
      return host;
    });
  },
);
