/**
 * Actors in C as modules of WebAssembly, on hosts without a disk: a program in Node, where each module has a thread, and
 * workerd, where there are none. One story for both: their code is there, and all that is theirs is the engine's.
 */
import { readFile } from "node:fs/promises";
import { createClient } from "@troupe/client";
import { type AnyActorDefinition, remoteActor, setup } from "@troupe/runtime";
import { expect, type TestContext, test } from "vitest";
import { bundle, EdgeHost } from "../../../runtime/test/edge/workerd.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { keeperInC, wasmExample, wasmPlugin, wasmPluginAt } from "../support/built.ts";

const TOKEN = "wasm-secret";
const quiet = { port: 0, durability: "memory", signals: false, banner: false } as const;
const patience = { timeout: 30_000, interval: 20 };

/** Paths of the modules. Skips where nothing here makes them. */
async function modules(context: TestContext) {
  const built = await Promise.all([wasmExample("counter"), wasmPlugin("faulty"), wasmPluginAt(...keeperInC)]);
  const [counter = "", faulty = "", keeper = ""] = built.map((one) =>
    one.missing === undefined ? one.path : context.skip(one.missing),
  );
  return { counter, faulty, keeper };
}

type Modules = Awaited<ReturnType<typeof modules>>;

async function engine() {
  const registry = setup({
    use: {
      counter: remoteActor(),
      faulty: remoteActor(),
      keeper: remoteActor({ database: true }),
      lonely: remoteActor({ database: true }),
    },
    hosts: { token: TOKEN },
  });
  const { endpoint } = await registry.start(quiet);
  const client = createClient(endpoint);
  return {
    registry,
    endpoint,
    client,
    /** Calls an action of the actor of a name and a key. */
    act: (name: string, key: string, action: string, ...args: unknown[]): Promise<unknown> =>
      client.getOrCreate(name, [key]).action({ name: action, args }),
    async [Symbol.asyncDispose]() {
      await client.dispose();
      await registry.stop();
    },
  };
}

/** Starts a host; disposed of, it ends at once. */
const hosts: Readonly<Record<string, (endpoint: string, built: Modules) => Promise<AsyncDisposable>>> = {
  "a Node host": async (endpoint, { counter, faulty, keeper }) => {
    const use: Record<string, AnyActorDefinition> = {
      counter: pluginActor({ wasm: counter, options: { sleepTimeout: 100 } }),
      faulty: pluginActor({ wasm: faulty }),
      keeper: pluginActor({ wasm: keeper, needs: ["actors", "database"] }),
      lonely: pluginActor({ wasm: keeper }),
    };
    const host = await setup({ use }).startHost({ endpoint, token: TOKEN, signals: false });
    return { [Symbol.asyncDispose]: async () => host.close() };
  },
  workerd: async (endpoint, built) => {
    const files = Object.entries(built).map(async ([name, path]) => [`${name}.wasm`, await readFile(path)]);
    const script = await bundle("../../../plugins/test/edge/worker.ts");
    const bindings = { ENGINE: endpoint, TOKEN };
    const [host, said] = await EdgeHost.start(script, bindings, Object.fromEntries(await Promise.all(files)));
    if (said !== "data: ready\n\n") {
      await host[Symbol.asyncDispose]();
      throw new Error(said);
    }
    return host;
  },
};

test.for(Object.keys(hosts))(
  "actors in C as modules of WebAssembly on %s: state, events, keys, remote SQL; over sleep and the host's end",
  {
    timeout: 120_000,
  },
  async (name, context) => {
    const built = await modules(context);
    const start = hosts[name];
    if (start === undefined) throw new Error(`there is no host ${name}`);
    await using troupe = await engine();
    const { act, client, registry, endpoint } = troupe;
    {
      await using _ = await start(endpoint, built);
      // State and events; JSON is the plugin's own encoding.
      const connection = client.getOrCreate("counter", ["a"]).connect();
      const heard = new Promise((resolve) => connection.on("changed", resolve));
      expect(await connection.action({ name: "increment", args: [2] })).toBe(2);
      expect(await heard).toBe(2);
      await connection.dispose();
      await expect(act("counter", "a", "increment", "much")).rejects.toMatchObject({ code: "not_a_number" });
      // It sleeps, and wakes with what it had.
      const awake = (): number => registry.remoteHosts.list().reduce((sum, host) => sum + host.instances, 0);
      await expect.poll(awake, patience).toBe(0);
      expect(await act("counter", "a", "get")).toBe(2);
      // Keys, tables, transactions, and calls of others.
      await act("keeper", "k", "put", "fruit", "apple");
      expect(await act("keeper", "k", "get", "fruit")).toBe("apple");
      expect(await act("keeper", "k", "note", "one")).toBe(1);
      expect(await act("keeper", "k", "noteBoth", "two", "three")).toBe(3);
      await expect(act("keeper", "k", "noteBoth", "four", "")).rejects.toMatchObject({
        code: "nothing_said",
      });
      expect(await act("keeper", "k", "wrong")).not.toBe("");
      expect(await act("keeper", "k", "tell", "other", "word", "psst")).toBe("psst");
      // What the definition doesn't grant.
      await expect(act("lonely", "l", "note", "one")).rejects.toMatchObject({ code: "unavailable" });
      await expect(act("lonely", "l", "tell", "other", "word", "psst")).rejects.toMatchObject({
        code: "not_granted",
      });
      // A trap ends its plugin alone, and the next call has a new one.
      await expect(act("faulty", "f", "trap")).rejects.toMatchObject({ group: "plugin", code: "trapped" });
      expect(await act("faulty", "f", "count")).toBe(1);
    }
    await using _ = await start(endpoint, built);
    expect(await act("keeper", "k", "notes")).toEqual([
      { id: 1, said: "one" },
      { id: 2, said: "two" },
      { id: 3, said: "three" },
    ]);
    expect(await act("keeper", "k", "get", "fruit")).toBe("apple");
    expect(await act("counter", "a", "increment", 3)).toBe(5);
  },
);
