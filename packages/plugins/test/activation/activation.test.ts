/** Activation: plugins by their manifests, as real processes, in a relay. */
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import type { TroupeError } from "@troupe/base";
import { TROUPE_VERSION } from "@troupe/base";
import { isGuardrailRejected, type Relay, type RelayEvent } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { afterAll, describe, expect, test, vi } from "vitest";
import { activatePlugins } from "../../src/activation/activate-plugins.ts";
import { inspectPlugin } from "../../src/activation/inspect-plugin.ts";
import { nodeLoad, PluginFolder } from "../support/plugin-folder.ts";

const sdk = new URL("../../src/worker.ts", import.meta.url).href;

/** Writes a worker's folder; the answer is its manifest. `middleware` is the source of a list. */
function worker(folder: PluginFolder, id: string, middleware: string, more = ""): { manifest: string } {
  folder.write(
    `${id}/main.ts`,
    `import { serveWorker } from ${JSON.stringify(sdk)};
     await serveWorker({ name: "${id}", version: "1.0.0", middleware: [${middleware}] });`,
  );
  return manifest(folder, id, `capabilities = ["middleware"]\n${more}`);
}

function manifest(folder: PluginFolder, id: string, more = ""): { manifest: string } {
  const text = `
    manifest_version = 1
    ${more}
    [plugin]
    id = "${id}"
    version = "1.0.0"
    kind = "worker"
    [compat]
    troupe = "^${TROUPE_VERSION}"
    [load]
    ${nodeLoad("main.ts")}
  `;
  return { manifest: folder.write(`${id}/troupe-plugin.toml`, text) };
}

function guardrail(name: string, handle: string): string {
  return `{ kind: "tool_conditional_execution_guardrail", name: "${name}", handle: ${handle} }`;
}

const noRm = guardrail("no-rm", `({ toolName }) => toolName === "rm" ? "nothing is removed here" : null`);

async function refusalOf(relay: Relay, tool: string): Promise<TroupeError> {
  try {
    await relay.toolCallExecute(tool, {}, () => ({ result: "done" }));
  } catch (error) {
    return error as TroupeError;
  }
  throw new Error(`${tool} was let through`);
}

/** What carriers leave in the folder for temporary files: this file's own. */
const temporary = new PluginFolder();
vi.stubEnv("TMPDIR", temporary.path);
afterAll(() => {
  vi.unstubAllEnvs();
  temporary[Symbol.dispose]();
});

function leftovers(): string[] {
  return readdirSync(temporary.path).filter((name) => name.startsWith("troupe-worker-"));
}

test("a worker's guardrail refuses one tool and lets another pass", async () => {
  using folder = new PluginFolder();
  const relay = createRelay();
  await using active = await activatePlugins({ plugins: [worker(folder, "curfew", noRm)], relay });
  expect(active.status).toEqual([
    {
      id: "curfew",
      version: "1.0.0",
      kind: "worker",
      runsIn: "its own process",
      startup: "required",
      state: "active",
      calls: 0,
      failures: 0,
      crashes: 0,
      restarts: 0,
      registrations: ["curfew/no-rm"],
      override: undefined,
      error: undefined,
    },
  ]);
  const refused = await refusalOf(relay, "rm");
  expect(refused).toMatchObject({
    group: "relay",
    code: "guardrail_rejected",
    metadata: { by: "curfew/no-rm", reason: "nothing is removed here" },
  });
  expect(await relay.toolCallExecute("ls", {}, () => ({ result: "a" }))).toMatchObject({ result: "a" });
  // That it refused is an answer.
  expect(active.status).toMatchObject([{ calls: 2, failures: 0 }]);
});

test("plugins may be named by where they are from here, though a worker's folder is another", async () => {
  using folder = new PluginFolder();
  const relay = createRelay();
  const { manifest } = worker(folder, "curfew", noRm);
  const here = (path: string) => relative(process.cwd(), path);
  const entrypoint = here(folder.write("bare/main.ts", `import "../curfew/main.ts";`));
  const bare = { id: "bare", kind: "worker", runtime: "node", entrypoint } as const;
  await using active = await activatePlugins({ plugins: [{ manifest: here(manifest) }, bare], relay });
  expect(active.status.map(({ id }) => id)).toEqual(["curfew", "bare"]);
  expect((await refusalOf(relay, "rm")).code).toBe("guardrail_rejected");
});

test("S5.9 (in part) a rejection that a worker throws keeps its type, and any other error fails closed", async () => {
  using folder = new PluginFolder();
  const relay = createRelay();
  const throwing = guardrail(
    "throws",
    `({ toolName }) => {
      if (toolName !== "rm") throw Object.assign(new RangeError("out of tokens"), {});
      const error = new Error("as thrown");
      throw Object.assign(error, {
        __troupeError: 1, group: "relay", code: "guardrail_rejected", public: true, statusCode: 403,
        metadata: { by: "inner", reason: "as thrown" },
      });
    }`,
  );
  await using _active = await activatePlugins({ plugins: [worker(folder, "strict", throwing)], relay });
  const rejected = await refusalOf(relay, "rm");
  expect(isGuardrailRejected(rejected)).toBe(true);
  expect(rejected.metadata).toEqual({ by: "strict/throws", reason: "as thrown" });
  const failed = await refusalOf(relay, "ls");
  expect(failed).toMatchObject({ code: "middleware_failed", cause: { message: "out of tokens" } });
});

test("S5.6 (in part) each call carries its own scope, and events of a worker's guardrail have their parents", async () => {
  using folder = new PluginFolder();
  const relay = createRelay();
  const events: RelayEvent[] = [];
  relay.registerSubscriber("test", (event) => void events.push(event));
  const telling = guardrail("scope", `(_payload, { scope }) => JSON.stringify(scope)`);
  await using _active = await activatePlugins({ plugins: [worker(folder, "teller", telling)], relay });
  const asked = (name: string) =>
    relay.withScope(name, "agent", async (scope) => {
      const { metadata } = await refusalOf(relay, name);
      return { scope, told: JSON.parse(String(metadata?.reason)) };
    });
  const both = await Promise.all([asked("one"), asked("two")]);
  await relay.flushSubscribers();
  for (const { scope, told } of both) {
    expect(told).toMatchObject({ version: 1, rootUuid: scope.uuid });
    const guard = events.find((event) => event.uuid === told.parentUuid);
    expect(guard).toMatchObject({ name: "teller/scope", parent_uuid: scope.uuid });
  }
});

describe("S5.4 registrations are cleared before a plugin ends and after a failed start, and a second start succeeds", () => {
  test("after a stop a second start finds nothing of the first", async () => {
    using folder = new PluginFolder();
    const relay = createRelay();
    const plugins = [worker(folder, "curfew", noRm)];
    const none = relay.listRuntimeRegistrations();
    const first = await activatePlugins({ plugins, relay });
    expect(await first.deactivate()).toEqual({ leftBehind: [] });
    expect(leftovers()).toEqual([]);
    expect(relay.listRuntimeRegistrations()).toEqual(none);
    expect(await relay.toolCallExecute("rm", {}, () => ({ result: "gone" }))).toMatchObject({
      result: "gone",
    });
    await using _second = await activatePlugins({ plugins, relay });
    expect((await refusalOf(relay, "rm")).code).toBe("guardrail_rejected");
    expect(leftovers().length).toBe(1);
  });

  test("a failing start clears what it had registered and started, and the next one succeeds", async () => {
    using folder = new PluginFolder();
    const relay = createRelay();
    const none = relay.listRuntimeRegistrations();
    const good = worker(folder, "good", noRm);
    const twice = worker(folder, "twice", `${noRm.replace("no-rm", "taken")}`);
    relay.registerToolConditionalExecutionGuardrail("twice/taken", () => null);
    await expect(activatePlugins({ plugins: [good, twice], relay })).rejects.toMatchObject({
      code: "in_relay",
    });
    expect(relay.listRuntimeRegistrations().length).toBe(none.length + 1);
    const missing = manifest(folder, "missing");
    await expect(activatePlugins({ plugins: [good, missing], relay })).rejects.toMatchObject({
      group: "plugin",
      code: "required_failed",
      metadata: { plugin: "missing", file: missing.manifest, code: "file_missing" },
      message: expect.stringContaining("main.ts, which load.entrypoint of"),
    });
    expect(relay.listRuntimeRegistrations().length).toBe(none.length + 1);
    await using _active = await activatePlugins({ plugins: [good], relay });
    expect((await refusalOf(relay, "rm")).code).toBe("guardrail_rejected");
  });

  test("a call that never ends is given up, and the plugin ends all the same", async () => {
    using folder = new PluginFolder();
    const relay = createRelay();
    const asked = Promise.withResolvers<void>();
    await using server = createServer(() => asked.resolve());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const stuck = guardrail(
      "stuck",
      `() => fetch("http://127.0.0.1:${port}").then((answer) => answer.text())`,
    );
    const active = await activatePlugins({ plugins: [worker(folder, "stuck", stuck)], relay });
    const refused = refusalOf(relay, "any");
    await asked.promise;
    expect(await active.deactivate()).toEqual({ leftBehind: [] });
    expect(await refused).toMatchObject({ code: "middleware_failed", cause: { code: "closed" } });
    server.closeAllConnections();
  });

  test("a call that had begun has its answer, with nothing registered any more", async () => {
    using folder = new PluginFolder();
    const relay = createRelay();
    const asked = Promise.withResolvers<ServerResponse>();
    await using server = createServer((_request, response) => asked.resolve(response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const slow = guardrail("slow", `async () => (await fetch("http://127.0.0.1:${port}")).text()`);
    const active = await activatePlugins({ plugins: [worker(folder, "slow", slow)], relay });
    const refused = refusalOf(relay, "any");
    const response = await asked.promise;
    const ended = active.deactivate();
    expect(relay.listRuntimeRegistrations()).toEqual([]);
    response.end("said late");
    expect(await refused).toMatchObject({ code: "guardrail_rejected", metadata: { reason: "said late" } });
    expect(await ended).toEqual({ leftBehind: [] });
  });
});

test("an optional plugin that can't be started is left out and told of", async () => {
  using folder = new PluginFolder();
  const relay = createRelay();
  const missing = manifest(folder, "missing", 'startup = "optional"');
  await using active = await activatePlugins({ plugins: [missing, worker(folder, "curfew", noRm)], relay });
  expect(active.status.map(({ id }) => id)).toEqual(["curfew"]);
  expect(active.skipped).toMatchObject([{ plugin: "missing", error: { code: "file_missing" } }]);
});

test("a guardrail whose process is gone fails closed, and is told of", async () => {
  using folder = new PluginFolder();
  const relay = createRelay();
  const dying = guardrail("dying", `() => process.exit(5)`);
  await using active = await activatePlugins({ plugins: [worker(folder, "frail", dying)], relay });
  const gone = { group: "plugin", code: "worker_exited", metadata: { code: 5 } };
  for (const tool of ["first", "second"])
    expect(await refusalOf(relay, tool)).toMatchObject({ code: "middleware_failed", cause: gone });
  expect(active.status).toMatchObject([
    { id: "frail", state: "restarting", calls: 1, failures: 1, error: gone },
  ]);
});

test("S5.2 a manifest is asked only of kinds that need it: a worker described in code starts without one", async () => {
  using folder = new PluginFolder();
  const relay = createRelay();
  worker(folder, "bare", noRm);
  const entrypoint = folder.write("bare/again.ts", `import "./main.ts";`);
  await using _active = await activatePlugins({
    plugins: [{ id: "bare", kind: "worker", runtime: "node", entrypoint }],
    relay,
  });
  expect((await refusalOf(relay, "rm")).code).toBe("guardrail_rejected");
  // What no compiler looked at: the description of a native plugin.
  const native = JSON.parse(`{ "id": "fast", "kind": "native", "entrypoint": "/fast.so" }`);
  await expect(activatePlugins({ plugins: [native], relay })).rejects.toMatchObject({
    code: "manifest_needed",
    metadata: { plugin: "fast", kind: "native" },
  });
});

test("a worker's middleware of all sorts in one call: an exporter, what rewrites, what goes around with next, a stream", async () => {
  using folder = new PluginFolder();
  const exporting = `{ kind: "subscriber", name: "exporter", handle: (event) => appendFileSync(${JSON.stringify(join(folder.path, "events"))}, event.name + "\\n") }`;
  const rewriting = `{ kind: "tool_request_intercept", name: "rewrite", handle: ({ args }) => ({ args: { ...args, two: 2 } }) }`;
  const around = `{ kind: "tool_execution_intercept", name: "around", handle: async ({ args }, { next }) => ({ result: [await next(args), await next(args)].map(({ result }) => result) }) }`;
  const stream = `{ kind: "llm_stream_execution_intercept", name: "stream", handle: ({ request }, { next }) => (async function* () { for await (const chunk of await next(request)) yield chunk + "!"; })() }`;
  const plugin = worker(folder, "all", [exporting, rewriting, around, stream].join(", "));
  folder.write(
    "all/main.ts",
    `import { appendFileSync } from "node:fs";\n${readFileSync(join(folder.path, "all/main.ts"), "utf8")}`,
  );
  const relay = createRelay();
  await using _active = await activatePlugins({ plugins: [plugin], relay });
  let ran = 0;
  const { result } = await relay.toolCallExecute("add", { one: 1 }, (args) => {
    ran += 1;
    return { result: { ran, args } };
  });
  expect(result).toEqual([1, 2].map((at) => ({ ran: at, args: { args: { one: 1, two: 2 } } })));
  const request = { headers: {}, content: "a poem" };
  let ended = false;
  const chunks = await relay.llmStreamCallExecute("poet", request, async function* () {
    try {
      for (let at = 0; ; at += 1) yield `word ${at}`;
    } finally {
      ended = true;
    }
  });
  const heard: unknown[] = [];
  for await (const chunk of chunks) if (heard.push(chunk) === 3) break;
  expect(heard).toEqual(["word 0!", "word 1!", "word 2!"]);
  await expect.poll(() => ended, { timeout: 60_000 }).toBe(true);
  const exported = (name: string): number =>
    readFileSync(join(folder.path, "events"), "utf8")
      .split("\n")
      .filter((one) => one === name).length;
  await expect
    .poll(() => [exported("add"), exported("llm.chunk"), exported("poet")], { timeout: 60_000 })
    .toEqual([2, 3, 2]);
});

describe("what a plugin may not declare", () => {
  test("more than its manifest lists", async () => {
    using folder = new PluginFolder();
    const silent = worker(folder, "silent", noRm);
    folder.write("silent/troupe-plugin.toml", "");
    const unlisted = manifest(folder, "silent");
    expect(unlisted).toEqual(silent);
    await expect(activatePlugins({ plugins: [unlisted], relay: createRelay() })).rejects.toMatchObject({
      cause: { code: "capability_missing", metadata: { capability: "middleware" } },
    });
  });

  test("a gate, which answers in the turn in which it is asked", async () => {
    using folder = new PluginFolder();
    const gate = `{ kind: "conditional_middleware_guardrail", name: "gate", handle: () => null }`;
    await expect(
      activatePlugins({ plugins: [worker(folder, "gate", gate)], relay: createRelay() }),
    ).rejects.toMatchObject({ cause: { code: "kind_unsupported" } });
  });

  test("the id of another plugin", async () => {
    using folder = new PluginFolder();
    const one = worker(folder, "one", noRm);
    await expect(activatePlugins({ plugins: [one, one], relay: createRelay() })).rejects.toMatchObject({
      code: "id_taken",
    });
  });
});

test("S5.1 (in part) inspecting reads alone, and reports a missing file", async () => {
  using folder = new PluginFolder();
  const good = worker(folder, "good", noRm);
  expect(await inspectPlugin(good)).toMatchObject({
    source: good.manifest,
    id: "good",
    kind: "worker",
    problem: undefined,
  });
  expect(await inspectPlugin(manifest(folder, "missing"))).toMatchObject({
    id: "missing",
    startup: "required",
    problem: { code: "file_missing" },
  });
  expect(await inspectPlugin({ manifest: "/nowhere/troupe-plugin.toml" })).toMatchObject({
    id: undefined,
    problem: { code: "manifest_unreadable" },
  });
  expect(leftovers()).toEqual([]);
});
