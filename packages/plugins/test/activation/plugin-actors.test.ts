/** `pluginActor({ plugin })`: actors of plugins that are named, whatever carries them. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { limits } from "@troupe/protocol";
import { createRelay } from "@troupe/relay/node";
import { actor, setup } from "@troupe/runtime";
import { describe, expect, test, vi } from "vitest";
import { addInstalled, decide } from "../../src/installed/installed-plugins.ts";
import { findScopes } from "../../src/installed/scopes.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { pluginSet } from "../../src/plugin-set.ts";
import { counterManifest, counters, counterWorker } from "../support/counters.ts";
import { nodeLoad, PluginFolder } from "../support/plugin-folder.ts";

const quiet = { port: 0, signals: false, banner: false, durability: "memory" } as const;

function worker(folder: PluginFolder, more?: string): string {
  folder.write("main.ts", counterWorker(more));
  return counterManifest(folder, nodeLoad("main.ts"));
}

/** One that has nothing but actors, and so isn't started before one of them is needed. */
function actorsAlone(folder: PluginFolder): string {
  const text = readFileSync(worker(folder), "utf8");
  return folder.write("troupe-plugin.toml", text.replace(`["actors", "middleware"]`, `["actors"]`));
}

/** A registry that runs, and calls of its one counter. */
async function running(definition: ReturnType<typeof pluginActor>, plugins?: ReturnType<typeof pluginSet>) {
  const registry = setup({ use: { counter: definition }, ...(plugins && { plugins }) });
  const { endpoint } = await registry.start(quiet);
  const client = await registry.client();
  const counter = client.counter.getOrCreate(["a"]);
  const act = (name: string, ...args: unknown[]): Promise<unknown> => counter.action({ name, args });
  /** The answer that a caller outside gets, as text. */
  const ask = async (name: string, ...args: unknown[]): Promise<string> => {
    const init = { method: "POST", body: JSON.stringify({ args }) };
    return await (await fetch(`${endpoint}/actor/counter/action/${name}?key=a`, init)).text();
  };
  const at = (key: string) => client.counter.getOrCreate([key]);
  return { counter, at, act, ask, [Symbol.asyncDispose]: () => registry.stop() };
}

describe.each(counters)("the counter of %s", (_title, make) => {
  test("counts, tells who listens, and fails with its own error", {
    timeout: 290_000,
  }, async (context) => {
    using folder = new PluginFolder();
    const made = await make(folder);
    if (made.missing !== undefined) return context.skip(made.missing);
    const plugin = { manifest: made.manifest, trusted: true };
    const definition = pluginActor({ plugin, actor: "counter" });
    await using world = await running(definition);
    expect(await world.act("get")).toBe(0);
    const conn = world.counter.connect();
    const heard: unknown[] = [];
    conn.on("changed", (count: unknown) => void heard.push(count));
    expect(await conn.action({ name: "increment", args: [41] })).toBe(41);
    expect(heard).toEqual([41]);
    await conn.dispose();
    await expect(world.act("increment", "one")).rejects.toMatchObject({
      group: "user",
      code: "not_a_number",
      message: "increment takes an integer",
    });
    await expect(world.act("decrement")).rejects.toMatchObject({ code: "action_not_found" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.act("increment", 1)));
    expect(answers).toEqual(Array.from({ length: 20 }, (__, at) => 42 + at));
  });
});

describe.each(counters.filter(([title]) => title.startsWith("a worker")))("a crash of %s", (_title, make) => {
  test("is the call's error, with the real cause; it is started again, and nothing durable is lost", {
    timeout: 120_000,
  }, async (context) => {
    using folder = new PluginFolder();
    const made = await make(folder);
    if (made.missing !== undefined) return context.skip(made.missing);
    await using world = await running(pluginActor({ plugin: folder.path }));
    expect(await world.act("increment", 5)).toBe(5);
    await expect(world.act("crash")).rejects.toMatchObject({
      group: "plugin",
      message: expect.stringContaining("its process ended with code 9"),
    });
    // Clients call again by themselves where the error says that they may.
    await vi.waitFor(async () => expect(await world.act("get")).toBe(5), { timeout: 60_000, interval: 20 });
    expect(await world.act("increment", 1)).toBe(6);
  });
});

test("a plugin of the registry runs once, for its middleware and for all that name it; a reload moves its actors", async () => {
  using folder = new PluginFolder();
  const relay = createRelay();
  const manifest = worker(
    folder,
    `middleware: [{ kind: "tool_conditional_execution_guardrail", name: "pid", handle: () => String(process.pid) }]`,
  );
  const plugins = pluginSet({ relay, plugins: [{ manifest }] });
  const pid = () =>
    relay.toolCallExecute("any", {}, () => ({ result: null })).catch((error) => error.metadata.reason);
  await using world = await running(pluginActor({ plugin: "counter" }), plugins);
  expect(await world.act("increment", 1)).toBe(1);
  const before = await pid();
  await plugins.reload();
  expect(await pid()).not.toBe(before);
  const answers = [world.act("increment", 1), world.act("increment", 1)];
  expect(await Promise.all(answers)).toEqual([2, 3]);
  expect(plugins.status).toMatchObject([{ id: "counter", state: "active" }]);
  await using other = await running(
    pluginActor({ plugin: "counter", config: {} }),
    pluginSet({ relay: createRelay(), plugins: [{ manifest }] }),
  );
  await expect(other.act("get")).rejects.toMatchObject({ code: "configured_twice" });
});

test("a call of an actor that had begun when its plugin was replaced ends with the one that it began with, and what it wrote is there", async () => {
  const begun = Promise.withResolvers<void>();
  const ended: string[] = [];
  const generation = (name: string) => {
    const counter = actor({
      state: { count: 0 },
      actions: {
        wait: async (c) => {
          begun.resolve();
          // It is told when it is to sleep.
          await once(c.abortSignal, "abort");
          c.state.count += 1;
          return name;
        },
        count: (c) => [name, c.state.count],
      },
      onSleep: () => void ended.push(name),
    });
    return { id: "counter", kind: "module", plugin: { name: "counter", actors: { counter } } } as const;
  };
  const plugins = pluginSet({ relay: createRelay(), plugins: [generation("before")] });
  await using world = await running(pluginActor({ plugin: "counter" }), plugins);
  const call = world.act("wait");
  await begun.promise;
  const reloaded = plugins.reload({ plugins: [generation("after")] });
  expect(await call).toBe("before");
  await reloaded;
  expect(ended).toEqual(["before"]);
  expect(await world.act("count")).toEqual(["after", 1]);
});

test("an actor of a plugin that is opened for it alone asks the registry's relay, as one of the registry's plugins does", async () => {
  const relay = createRelay();
  const heard: string[] = [];
  relay.registerSubscriber("marks", (event) => void (event.kind === "mark" && heard.push(event.name)));
  const teller = actor({
    actions: {
      tell: async (c) => {
        c.mark("told");
        return await c.tool("ls", {}, () => "ls ran");
      },
    },
  });
  const plugin = { id: "teller", kind: "module", plugin: { name: "teller", actors: { teller } } } as const;
  const registry = setup({ use: { counter: pluginActor({ plugin }) }, relay });
  await registry.start(quiet);
  const counter = (await registry.client()).counter.getOrCreate("a");
  expect(await counter.action({ name: "tell", args: [] })).toBe("ls ran");
  await registry.stop();
  await relay.flushSubscribers();
  expect(heard).toContain("told");
});

test("a program registers a plugin's actor under names of its own", async (context) => {
  using folder = new PluginFolder();
  const made = await counters[0]?.[1](folder);
  if (made === undefined || made.missing !== undefined) return context.skip(made?.missing);
  const plugin = { manifest: made.manifest, trusted: true };
  const registry = setup({ use: { tally: pluginActor({ plugin }), total: pluginActor({ plugin }) } });
  await registry.start(quiet);
  try {
    const client = await registry.client();
    expect(await client.tally.getOrCreate("a").action({ name: "increment", args: [7] })).toBe(7);
    expect(await client.total.getOrCreate("a").action({ name: "increment", args: [1] })).toBe(1);
  } finally {
    await registry.stop();
  }
});

test("an installed plugin is found by its id, once it is enabled; what isn't there is named", async () => {
  using folder = new PluginFolder();
  vi.stubEnv("XDG_CONFIG_HOME", folder.path);
  try {
    const scopes = findScopes(process.cwd(), process.env);
    const manifest = actorsAlone(folder);
    await addInstalled(scopes, "user", { id: "counter", manifest });
    await using world = await running(pluginActor({ plugin: "counter", startup: "optional" }));
    await expect(world.act("get")).rejects.toMatchObject({ group: "plugin", code: "not_enabled" });
    await decide(scopes, { id: "counter", scope: "user" }, { enabled: true });
    expect(await world.act("increment", 2)).toBe(2);
    await using other = await running(pluginActor({ plugin: "conter", startup: "optional" }));
    await expect(other.act("get")).rejects.toMatchObject({
      code: "not_added",
      message: expect.stringContaining("Did you mean counter?"),
    });
  } finally {
    vi.unstubAllEnvs();
  }
});

test("a first start that fails isn't kept: the next call tries again", async () => {
  using folder = new PluginFolder();
  const manifest = actorsAlone(folder);
  folder.write("main.ts", `console.error("no such thing"); process.exit(3);`);
  await using world = await running(pluginActor({ plugin: { manifest } }));
  await expect(world.act("get")).rejects.toMatchObject({ group: "actor", code: "start_failed" });
  folder.write("main.ts", counterWorker());
  expect(await world.act("increment", 1)).toBe(1);
});

test("callers outside hear that a plugin's process ended; paths, digests and what it said last are in the log", async () => {
  using folder = new PluginFolder();
  const said: string[] = [];
  const keep = (text: string | Uint8Array): boolean => said.push(String(text)) > 0;
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation(keep),
  );
  try {
    const manifest = actorsAlone(folder);
    folder.write("main.ts", `console.error("the stack of ${folder.path}");\n${counterWorker()}`);
    await using world = await running(pluginActor({ plugin: folder.path }));
    expect(await world.ask("increment", 5)).toContain("5");
    const crashed = await world.ask("crash");
    expect(crashed).toContain("its process ended with code 9");
    expect(crashed).toContain("worker_exited");
    const none = pluginActor({ plugin: `${folder.path}/none`, startup: "optional" });
    await using missing = await running(none);
    const unread = await missing.ask("get");
    const digests = `[integrity]\nsha256 = "${"0".repeat(64)}"`;
    folder.write("troupe-plugin.toml", readFileSync(manifest, "utf8").replace("[integrity]", digests));
    await using changed = await running(pluginActor({ plugin: folder.path }));
    const other = await changed.ask("get");
    for (const answer of [unread, other])
      expect(JSON.parse(answer)).toMatchObject({ error: { code: "start_failed" } });
    // While it is started again, and later.
    for (const answer of [crashed, await world.ask("get"), unread, other])
      for (const secret of [folder.path, "the stack of", "0".repeat(64)])
        expect(answer).not.toContain(secret);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  const log = said.join("");
  expect(log).toContain(`the stack of ${folder.path}`);
  expect(log).toContain(`${folder.path}/none/troupe-plugin.toml isn't there`);
  expect(log).toContain("isn't the file that");
});

test("why a plugin can't be opened is said once for each reason, also where its caller is the program itself", async () => {
  using folder = new PluginFolder();
  const said: string[] = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
  const lines = (): string[] => said.filter((line) => line.includes("the code of an actor can't be opened"));
  try {
    await using named = await running(pluginActor({ plugin: `${folder.path}/none`, startup: "optional" }));
    for (const _again of [1, 2])
      await expect(named.act("get")).rejects.toMatchObject({ code: "start_failed" });
    expect(lines()).toEqual([expect.stringContaining("none/troupe-plugin.toml isn't there")]);
    await using library = await running(pluginActor({ library: `${folder.path}/none.so` }));
    await expect(library.act("get")).rejects.toMatchObject({ code: "start_failed" });
    expect(lines()).toEqual([expect.anything(), expect.stringContaining("none.so")]);
    // What a caller is told needs no line.
    await using unknown = await running(pluginActor({ plugin: "none", startup: "optional" }));
    await expect(unknown.act("get")).rejects.toMatchObject({ code: "not_added" });
    expect(lines()).toHaveLength(2);
  } finally {
    write.mockRestore();
  }
});

const looping = `import { actor } from "troupe";
  export default actor({ createState() { for (;;); }, actions: { get: () => 1 } });`;
const exiting = `import { actor } from ${JSON.stringify(import.meta.resolve("@troupe/runtime"))};
  import { serveWorker } from ${JSON.stringify(new URL("../../src/worker.ts", import.meta.url).href)};
  const counter = actor({ createState: () => process.exit(9), actions: { get: () => 1 } });
  await serveWorker({ name: "counter", actors: { counter } });`;
const endings = {
  "an isolate": ["isolate", 'module = "main.ts"', looping, "time_exceeded"],
  "a worker": ["worker", nodeLoad("main.ts"), exiting, "worker_exited"],
} as const;

test.each(Object.entries(endings))(
  "a start of an actor that ends %s is told to its caller, who isn't to try again: it ends the plugin once",
  async (_, [kind, load, source, code]) => {
    using folder = new PluginFolder();
    folder.write("main.ts", source);
    const text = readFileSync(counterManifest(folder, load, kind), "utf8");
    const manifest = folder.write(
      "troupe-plugin.toml",
      text.replace(`["actors", "middleware"]`, `["actors"]`),
    );
    const plugins = pluginSet({ relay: createRelay(), plugins: [{ manifest }] });
    await using world = await running(pluginActor({ plugin: "counter" }), plugins);
    await expect(world.act("get")).rejects.toMatchObject({ code, retryable: false });
    expect(plugins.status).toMatchObject([{ crashes: 1, restarts: 0, error: { code } }]);
    // Others wait until it was started again.
    await expect(world.act("get")).rejects.toMatchObject({ code, retryable: false });
    expect(plugins.status).toMatchObject([{ crashes: 2, restarts: 1 }]);
  },
);

test("S1.5 (in part) a named definition is frozen, and options are checked by name when it is made", () => {
  const plugin = { manifest: "/nowhere/troupe-plugin.toml" };
  const definition = pluginActor({ plugin, options: { sleepTimeout: 5 } });
  expect(Object.isFrozen(definition)).toBe(true);
  expect(Object.isFrozen(definition.behaviour)).toBe(true);
  expect(Object.isFrozen(definition.behaviour.options)).toBe(true);
  const given = (options: string): unknown => pluginActor(JSON.parse(options));
  const refused: readonly (readonly [string, string, string])[] = [
    [`{ "plugin": "a", "library": "b" }`, "bad_option", "can't stand together"],
    [`{ "plugin": "" }`, "bad_option", "an id, a path"],
    [`{ "plugin": "a", "actors": "b" }`, "bad_option", 'Did you mean "actor"?'],
    [`{ "library": "a", "sha256": "zz" }`, "bad_option", "64 hexadecimal digits"],
    [`{ "wasm": "a", "sha256": "" }`, "bad_option", "64 hexadecimal digits"],
    [`{ "plugin": "a", "sha256": "b" }`, "bad_option", '"sha256"'],
    [`{ "plugin": "a", "startup": "later" }`, "bad_option", '"required" or "optional"'],
    [`{ "plugin": { "id": "a", "plugin": {} } }`, "bad_option", '"worker" or "module"'],
    [`{ "plugin": { "id": "a", "kind": "native" } }`, "bad_option", "named by its manifest"],
    [`{ "plugin": "a", "options": { "sleepTimeuot": 1 } }`, "unknown_option", "sleepTimeout"],
    [`{ "plugin": "a", "options": { "noSleep": 1 } }`, "invalid_option", "true or false"],
    [`{ "plugin": "a", "options": { "concurrency": "serial" } }`, "option_of_code", "own code"],
    [`{ "plugin": "a", "needs": ["network"] }`, "invalid_option", "actors, database"],
  ];
  for (const [options, code, text] of refused)
    expect(() => given(options), options).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    );
});

test("several starts that end their plugin at once are told so one by one, and the plugin isn't lost for its other actors", {
  timeout: 60_000,
}, async () => {
  using folder = new PluginFolder();
  folder.write(
    "main.ts",
    `import { actor } from ${JSON.stringify(import.meta.resolve("@troupe/runtime"))};
     import { serveWorker } from ${JSON.stringify(new URL("../../src/worker.ts", import.meta.url).href)};
     const counter = actor({
       createState: async (c) => {
         await new Promise((done) => setImmediate(done));
         if (c.key[0] !== "good") process.exit(9);
         return {};
       },
       actions: { get: () => 1 },
     });
     await serveWorker({ name: "counter", actors: { counter } });`,
  );
  const text = readFileSync(counterManifest(folder, nodeLoad("main.ts"), "worker"), "utf8");
  const manifest = folder.write("troupe-plugin.toml", text.replace(`["actors", "middleware"]`, `["actors"]`));
  const plugins = pluginSet({ relay: createRelay(), plugins: [{ manifest }] });
  await using world = await running(pluginActor({ plugin: "counter" }), plugins);
  const bad = Array.from({ length: limits.pluginCrashes + 1 }, (_, n) =>
    world.at(`bad ${n}`).action({ name: "get", args: [] }),
  );
  for (const call of await Promise.allSettled(bad))
    expect(call).toMatchObject({ reason: { code: "worker_exited", retryable: false } });
  expect(await world.at("good").action({ name: "get", args: [] })).toBe(1);
  expect(plugins.status).toMatchObject([{ state: "active" }]);
});
