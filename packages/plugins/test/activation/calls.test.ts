/** Tools and models of actors that are elsewhere, in an isolate, a worker or a plugin's module: under the middleware of their host. */
import { existsSync } from "node:fs";
import { type Client, createClient } from "@troupe/client";
import { limits } from "@troupe/protocol";
import type { Relay } from "@troupe/relay";
import { type AnyActorDefinition, setup } from "@troupe/runtime";
import { beforeEach, describe, expect, test } from "vitest";
import { Listener } from "../../../runtime/test/relay/listener.ts";
import { dynamicActor, pluginActor, pluginSet } from "../../src/index.ts";
import { moduleOf } from "../support/dynamic-world.ts";
import { whyNotLoaded } from "../support/native-package.ts";
import { nodeLoad } from "../support/plugin-folder.ts";
import { PluginWorld } from "../support/plugin-world.ts";

const config = `
  state: { ran: 0, made: 0, ended: 0, told: 0 },
  createVars: () => ({ told: 0 }),
  actions: {
    tool: (c, name, args, id) => c.tool(name, args, (given, { scope }) => {
      c.state.ran += 1;
      return { given, within: scope.uuid, below: c.scope.uuid };
    }, id === undefined ? {} : { toolCallId: id, metadata: { a: "b" } }),
    ran: (c) => c.state.ran,
    fails: (c) => c.tool("fails", 1, () => { throw new UserError("dull", { code: "dull" }); }),
    model: (c, request) => c.llm("openai", request, ({ headers, content }) => ({ headers, content })),
    nested: (c) => c.tool("outer", 1, (one, { scope }) => c.tool("inner", one, (two) => two, { parent: scope })),
    given_up: async (c) => {
      const abort = new AbortController();
      const told = Promise.withResolvers();
      const call = c.tool("slow", 1, (_, { signal }) => {
        signal.addEventListener("abort", () => told.resolve("told"));
        abort.abort();
        return new Promise(() => {});
      }, { signal: abort.signal });
      return [await call.catch((error) => error.group + "." + error.code), await told.promise];
    },
    late: (c) => c.tool("late", 1, () => { c.state.ran += 1; }, { signal: AbortSignal.abort() }),
    unsayable: (c) => c.tool("x", () => {}, () => 1),
    stream: async (c, content, most = Infinity) => {
      const chunks = [];
      const stream = await c.llmStream("openai", { headers: {}, content }, async function* (request, { signal, scope }) {
        signal.addEventListener("abort", () => { c.state.told += 1; });
        try {
          for (let one = 0; one < request.content.chunks; one += 1) {
            c.state.made += 1;
            yield { one, within: scope.uuid, below: c.scope.uuid };
          }
          if (request.content.fails) throw new UserError("dull", { code: "dull" });
        } finally {
          c.state.ended += 1;
        }
      });
      if (most === 0) await stream.close();
      else for await (const chunk of stream) if (chunks.push(chunk) === most) break;
      return chunks;
    },
    streamed: (c) => ({ made: c.state.made, ended: c.state.ended, told: c.state.told }),
    no_stream: (c) => c.llmStream("openai", { headers: {}, content: 1 }, () => 1),
    stream_given_up: async (c) => {
      const abort = new AbortController();
      const told = Promise.withResolvers();
      const stream = await c.llmStream("slow", { headers: {}, content: 1 }, async function* (_, { signal }) {
        signal.addEventListener("abort", () => told.resolve("told"));
        yield 1;
        await new Promise(() => {});
      }, { signal: abort.signal });
      const first = await stream.next();
      const second = stream.next().catch((error) => error.group + "." + error.code);
      abort.abort();
      return [first.value, await second, await told.promise, (await stream.next()).done];
    },
    stream_left: async (c, how) => {
      const stream = await c.llmStream("left", { headers: {}, content: 1 }, async function* (_, { signal }) {
        signal.addEventListener("abort", () => { c.vars.told += 1; });
        for (;;) yield 1;
      });
      await stream.next();
      c.vars.left = stream;
      if (how === "waits") c.waitUntil(new Promise((go) => { c.vars.go = go; }));
    },
    stream_next: async (c) => [(await c.vars.left.next().catch((error) => error.group + "." + error.code)), c.vars.told],
    stream_go: (c) => c.vars.go(),
    stream_many: async (c, most) => {
      const open = [];
      const model = async function* () { for (;;) yield 1; };
      const one = async () => open.push(await c.llmStream("many", { headers: {}, content: 1 }, model));
      while (open.length < most) await one();
      const refused = await one().catch((error) => error.group + "." + error.code);
      await open[0].close();
      return [refused, await one()];
    },
    stream_unread: async (c) => {
      const abort = new AbortController();
      const told = Promise.withResolvers();
      const stream = await c.llmStream("slow", { headers: {}, content: 1 }, async function* (_, { signal }) {
        signal.addEventListener("abort", () => told.resolve("told"));
        yield 1;
        yield 2;
      }, { signal: abort.signal });
      await stream.next();
      abort.abort();
      await told.promise;
      // A turn of the host's, in which the stream ends there.
      await c.tool("turn", 1, () => 1);
      return [await stream.next().catch((error) => error.group + "." + error.code), (await stream.next()).done];
    },
    stream_dies: async (c) => {
      const stream = await c.llmStream("fatal", { headers: {}, content: 1 }, async function* () {
        yield 1;
        process.kill(process.pid, "SIGKILL");
        await new Promise(() => {});
      });
      for await (const _ of stream);
    },
  },`;

interface Host extends AsyncDisposable {
  readonly listener: Listener;
  act(action: string, ...args: unknown[]): Promise<unknown>;
}

type Make = (world: PluginWorld, capabilities: readonly string[]) => AnyActorDefinition;

function manifestOf(kind: "module" | "worker"): Make {
  return (world, capabilities) => {
    const of = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const plugin = `{ name: "it", actors: { it: actor({ ${config} }) } }`;
    world.write(
      "it/main.ts",
      `import { actor } from ${JSON.stringify(import.meta.resolve("@troupe/runtime"))};
       import { UserError } from ${JSON.stringify(import.meta.resolve("@troupe/base"))};
       import { serveWorker } from ${of("../../src/worker.ts")};
       ${kind === "worker" ? `await serveWorker(${plugin})` : `export default ${plugin}`};`,
    );
    const load = kind === "worker" ? nodeLoad("main.ts") : 'module = "main.ts"';
    world.manifest("it", { kind, load, capabilities: ["actors", ...capabilities] });
    return pluginActor({ plugin: "it" });
  };
}

const places: readonly (readonly [where: string, make: Make])[] = [
  [
    "an isolate",
    (_, capabilities) =>
      dynamicActor({ source: moduleOf(config), needs: capabilities.includes("calls") ? ["calls"] : [] }),
  ],
  ["a module", manifestOf("module")],
  ["a worker", manifestOf("worker")],
];

async function start(make: Make, capabilities: readonly string[] = ["calls"]): Promise<Host> {
  const world = new PluginWorld();
  const listener = new Listener();
  const { relay } = listener;
  const it = make(world, capabilities);
  const manifest = `${world.folder.path}/it/troupe-plugin.toml`;
  const plugins = pluginSet({ relay, plugins: existsSync(manifest) ? [{ manifest, trusted: true }] : [] });
  const registry = setup({ use: { it }, relay, plugins });
  const { endpoint } = await registry.start({ port: 0, durability: "memory", signals: false, banner: false });
  const client: Client = createClient(endpoint);
  return {
    listener,
    act: (name, ...args) => client.getOrCreate("it", ["a"]).action({ name, args }),
    [Symbol.asyncDispose]: async () => {
      await client.dispose();
      await registry.stop();
      world[Symbol.dispose]();
    },
  };
}

/** What a host may do to a call of a tool. */
function middleware(relay: Relay): void {
  relay.register({
    kind: "tool_conditional_execution_guardrail",
    name: "no-rm",
    handle: ({ toolName }) => (toolName === "rm" ? "not here" : null),
  });
  relay.register({
    kind: "tool_request_intercept",
    name: "more",
    handle: ({ toolName, args }) => (toolName === "add" ? Number(args) + 1 : args),
  });
  relay.register({
    kind: "tool_execution_intercept",
    name: "again",
    handle: async ({ toolName, args }, { next }) => {
      if (toolName === "cached") return { result: "kept" };
      if (toolName === "twice") await Promise.all([next("one"), next("two")]);
      return await next(toolName === "twice" ? "three" : args);
    },
  });
}

for (const [where, make] of places)
  describe(`in ${where}`, { timeout: 60_000 }, () => {
    beforeEach((context) => {
      const why = where === "an isolate" ? whyNotLoaded("isolated-vm") : undefined;
      if (why !== undefined) context.skip(why);
    });

    test("a tool is refused, given other arguments, run again and answered for by its host's middleware", async () => {
      await using host = await start(make);
      const { listener } = host;
      middleware(listener.relay);
      await expect(host.act("tool", "rm", 1)).rejects.toMatchObject({
        group: "relay",
        code: "guardrail_rejected",
        metadata: { reason: "not here" },
      });
      expect(await host.act("tool", "cached", 1)).toBe("kept");
      expect(await host.act("ran")).toBe(0);
      const added = Object(await host.act("tool", "add", 1, "call_1"));
      const [started, action] = [await listener.start("add"), await listener.start("it.tool")];
      expect(added).toMatchObject({ given: 2, within: started.uuid });
      expect(started).toMatchObject({
        parent_uuid: added.below,
        data: 2,
        metadata: { a: "b" },
        category_profile: { tool_call_id: "call_1" },
      });
      expect(action.category).toBe("function");
      expect(await host.act("tool", "twice", "none")).toMatchObject({ given: "three" });
      expect(await host.act("ran")).toBe(4);
      await expect(host.act("fails")).rejects.toMatchObject({ code: "dull", message: "dull" });
      expect(await host.act("nested")).toBe(1);
      expect((await listener.start("inner")).parent_uuid).toBe((await listener.start("outer")).uuid);
    });

    test("a model is called under its host's middleware; a caller gives up, and who runs the tool is told", async () => {
      await using host = await start(make);
      const { relay } = host.listener;
      relay.register({
        kind: "llm_request_intercept",
        name: "key",
        handle: ({ request }) => ({ request: { ...request, headers: { ...request.headers, "x-key": "k" } } }),
      });
      const request = { headers: { a: "b" }, content: { model: "m" } };
      expect(await host.act("model", request)).toMatchObject({
        headers: { a: "b", "x-key": "k" },
        content: { model: "m" },
      });
      expect(await host.act("given_up")).toEqual(["relay.aborted", "told"]);
      await expect(host.act("late")).rejects.toMatchObject({ group: "relay", code: "aborted" });
      expect(await host.act("ran")).toBe(0);
      await expect(host.act("unsayable")).rejects.toMatchObject({ group: "value" });
    });

    test("a model's stream goes by its host's middleware, chunk by chunk as it is read", async () => {
      await using host = await start(make);
      const { listener } = host;
      listener.relay.register({
        kind: "llm_stream_execution_intercept",
        name: "marked",
        handle: async function* ({ request }, { next }) {
          for await (const chunk of await next(request)) yield { ...Object(chunk), marked: true };
        },
      });
      listener.relay.register({
        kind: "llm_conditional_execution_guardrail",
        name: "no-secrets",
        handle: ({ request }) => (Object(request.content).secret === true ? "not here" : null),
      });
      const chunks = (await host.act("stream", { chunks: 3 })) as readonly Record<string, unknown>[];
      const [model, action] = [await listener.start("openai"), await listener.start("it.stream")];
      expect(model.parent_uuid).toBe(action.uuid);
      const each = { marked: true, within: model.uuid, below: action.uuid };
      expect(chunks).toMatchObject([0, 1, 2].map((one) => ({ ...each, one })));
      expect(await host.act("streamed")).toMatchObject({ made: 3, ended: 1 });
      // Refused before the model is called; what it throws keeps its type.
      await expect(host.act("stream", { secret: true })).rejects.toMatchObject({
        group: "relay",
        code: "guardrail_rejected",
      });
      await expect(host.act("stream", { chunks: 1, fails: true })).rejects.toMatchObject({ code: "dull" });
      await expect(host.act("no_stream")).rejects.toMatchObject({ group: "relay" });
      expect(await host.act("streamed")).toMatchObject({ made: 4, ended: 2 });
    });

    test("who leaves a model's stream early has the model told: no chunk more is made than was read", async () => {
      await using host = await start(make);
      expect(await host.act("stream", { chunks: 1_000 }, 2)).toHaveLength(2);
      expect(await host.act("streamed")).toEqual({ made: 2, ended: 1, told: 1 });
      expect(await host.act("stream", { chunks: 1_000 }, 0)).toEqual([]);
      // A generator that nobody read from has never begun.
      expect(await host.act("streamed")).toEqual({ made: 2, ended: 1, told: 1 });
      expect(await host.act("stream_given_up")).toEqual([1, "relay.aborted", "told", true]);
      // It isn't taken for the end of what the model had to say.
      expect(await host.act("stream_unread")).toEqual(["relay.aborted", true]);
    });

    test("a stream that is left open ends with its action, behind what the action waits for; one actor has so many", async () => {
      await using host = await start(make);
      await host.act("stream_left");
      expect(await host.listener.end("left")).toMatchObject({ metadata: { "error.type": "relay.aborted" } });
      expect(await host.act("stream_next")).toEqual(["relay.aborted", 1]);
      await host.act("stream_left", "waits");
      expect(await host.act("stream_next")).toEqual([{ done: false, value: 1 }, 1]);
      await host.act("stream_go");
      expect(await host.act("stream_next")).toEqual(["relay.aborted", 2]);
      // Each action's are gone behind it.
      for (let twice = 0; twice < 2; twice += 1)
        expect(await host.act("stream_many", limits.actorStreams)).toEqual([
          "actor.overloaded",
          limits.actorStreams + 1,
        ]);
    });

    test("an intercept opens a stream twice: the model runs twice, and the one that is left is told", async () => {
      await using host = await start(make);
      host.listener.relay.register({
        kind: "llm_stream_execution_intercept",
        name: "twice",
        handle: async ({ request }, { next }) => {
          const first = (await next(request))[Symbol.asyncIterator]();
          const second = await next(request);
          await first.next();
          await first.return?.();
          return second;
        },
      });
      expect(await host.act("stream", { chunks: 3 })).toMatchObject([{ one: 0 }, { one: 1 }, { one: 2 }]);
      expect(await host.act("streamed")).toEqual({ made: 4, ended: 2, told: 1 });
    });

    test("without the capability it may not", async () => {
      await using host = await start(make, []);
      const refusal = where === "an isolate" ? "not_granted" : "not_allowed";
      await expect(host.act("tool", "add", 1)).rejects.toMatchObject({ code: refusal });
      await expect(host.act("stream", { chunks: 1 })).rejects.toMatchObject({ code: refusal });
      expect(await host.act("ran")).toBe(0);
    });
  });

test("a worker that dies in mid-stream: its caller and its host's event say so, and the next one streams", {
  timeout: 60_000,
}, async () => {
  await using host = await start(manifestOf("worker"));
  await expect(host.act("stream_dies")).rejects.toMatchObject({ group: "plugin", code: "worker_exited" });
  expect(await host.listener.end("fatal")).toMatchObject({ metadata: { "error.type": "relay.aborted" } });
  expect(await host.act("stream", { chunks: 1 })).toHaveLength(1);
});
