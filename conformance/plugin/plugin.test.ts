/** Carriers and languages, each with the same stories. */

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type CarrierRequest, carriedActor, type HostOptions } from "@troupe/runtime";
import { describe, expect, test } from "vitest";
import { RelayHost } from "../../packages/plugins/src/activation/relay-host.ts";
import type { OpenCarrier } from "../../packages/plugins/src/carrier.ts";
import { moduleCarrier } from "../../packages/plugins/src/carriers/module/module-carrier.ts";
import { nativeCarrier } from "../../packages/plugins/src/carriers/native/native-carrier.ts";
import { wasmCarrier } from "../../packages/plugins/src/carriers/wasm/wasm-carrier.ts";
import { workerCarrier } from "../../packages/plugins/src/carriers/worker/worker-carrier.ts";
import { dynamicActor } from "../../packages/plugins/src/dynamic-actor.ts";
import type { NativeLoad, WorkerLoad } from "../../packages/plugins/src/manifest/load.ts";
import { allCapabilities, type Capability } from "../../packages/plugins/src/manifest/rules.ts";
import { pluginActor } from "../../packages/plugins/src/plugin-actor.ts";
import { openSession } from "../../packages/plugins/src/session/open-session.ts";
import { PluginSideSession } from "../../packages/plugins/src/worker/plugin-session.ts";
import {
  type Built,
  cExample,
  cPluginAt,
  keeperInC,
  rustExample,
  rustProgram,
  rustWasmExample,
  wasmPluginAt,
} from "../../packages/plugins/test/support/built.ts";
import { nodeSessionEnv } from "../../packages/plugins/test/support/node-env.ts";
import { findPython } from "../../packages/plugins/test/support/python.ts";
import { type ActorUnderTest, actorKit, actorRequestKit, actorScopeKit } from "./actor-kit.ts";
import { aroundKit } from "./around-kit.ts";
import { callKit } from "./call-kit.ts";
import { actorConnectionKit, actorHibernationKit, actorLaneKit } from "./connection-kit.ts";
import { actorDefaultsKit } from "./defaults-kit.ts";
import { hostKit } from "./host-kit.ts";
import { actorAbortKit, actorAwakeKit, actorQueueKit, actorScheduleKit, actorStreamKit } from "./kept-kit.ts";
import { leaksKit } from "./leaks-kit.ts";
import { type PluginUnderTest, pluginKit, rejectionKit } from "./plugin-kit.ts";
import { scopeKit } from "./scope-kit.ts";
import { actorSocketKit, actorSocketSleepKit } from "./socket-kit.ts";
import around from "./workers/around.ts";
import asker from "./workers/asker.ts";
import caller from "./workers/caller.ts";
import guardrail from "./workers/guardrail.ts";
import keeper from "./workers/keeper.ts";

const workers = join(import.meta.dirname, "workers");
const unchecked = { sha256: undefined, files: new Map<string, string>() };

function worker(file: string, load: NativeLoad | WorkerLoad): OpenCarrier {
  return workerCarrier({
    plugin: "guardrail",
    env: nodeSessionEnv,
    origin: { file: "the kit", folder: dirname(file) },
    load,
  });
}

function program(file: string, runtime: WorkerLoad["runtime"]): OpenCarrier {
  const path = join(workers, file);
  const env = ["NODE_COMPILE_CACHE"];
  return worker(path, { kind: "worker", runtime, entrypoint: file, args: [], env, ...unchecked });
}

/** The library in this process. */
async function inProcess(built: Promise<Built>) {
  const found = await built;
  if (found.missing !== undefined) return { missing: found.missing };
  const { path } = found;
  return { open: nativeCarrier({ library: path }) };
}

/** The library in a process of its own. */
async function inItsOwn(built: Promise<Built>) {
  const found = await built;
  if (found.missing !== undefined) return { missing: found.missing };
  const { path } = found;
  const load = { kind: "native", library: basename(path), isolation: "process", ...unchecked } as const;
  return { open: worker(path, load) };
}

/** A program that cargo made. */
async function rustWorker(name: string): Promise<PluginUnderTest> {
  const found = await rustProgram(name);
  if (found.missing !== undefined) return { missing: found.missing };
  const { path } = found;
  const load = { kind: "worker", runtime: "rust", entrypoint: basename(path), args: [], env: [] } as const;
  return { open: worker(path, { ...load, ...unchecked }) };
}

/** The module of WebAssembly, in a thread. */
async function inWasm(built: Promise<Built>): Promise<PluginUnderTest> {
  const found = await built;
  return found.missing === undefined
    ? { open: wasmCarrier({ wasm: found.path }) }
    : { missing: found.missing };
}

/** A worker in Python, where there is one that can run it. */
async function python(file: string): Promise<PluginUnderTest> {
  const found = await findPython();
  return found.missing === undefined ? { open: program(file, "python") } : { missing: found.missing };
}

/**
 * The kit's first plugin, a guardrail, on the carriers and in the languages that have no template: those have the same stories in
 * `templates.test.ts`.
 */
const guardrails: readonly (readonly [string, () => Promise<PluginUnderTest>])[] = [
  [
    "module, TypeScript",
    async () => ({ open: moduleCarrier(async (send) => new PluginSideSession(guardrail, send)) }),
  ],
  ["native, C", () => inProcess(cExample("guardrail"))],
  ["native, Rust", () => inProcess(rustExample("guardrail"))],
  ["worker, Rust", () => rustWorker("guardrail")],
];

for (const [subject, find] of guardrails) pluginKit(subject, find);

describe("S5.9 a guardrail's rejection keeps its type across every carrier:", () => {
  for (const [subject, find] of guardrails) rejectionKit(subject, find);
});

/** The kit's actor, which may call others and has a database. */
async function asActor(
  built: Promise<Built>,
  as: "library" | "wasm",
  options: HostOptions,
  actor = "keeper",
): Promise<ActorUnderTest> {
  const found = await built;
  if (found.missing !== undefined) return { missing: found.missing };
  const needs = ["actors", "database"] as const;
  const code = as === "library" ? { library: found.path } : { wasm: found.path };
  return { definition: pluginActor({ ...code, actor, needs, options }) };
}

interface Carried {
  readonly actor?: string;
  readonly capabilities?: readonly Capability[];
}

/** The same of what a carrier opens. */
async function carried(
  plugin: Promise<PluginUnderTest>,
  options: HostOptions,
  { actor = "keeper", capabilities = allCapabilities }: Carried = {},
): Promise<ActorUnderTest> {
  const found = await plugin;
  if ("missing" in found) return { missing: found.missing };
  const open = async ({ env, relay }: CarrierRequest) => {
    const host = relay && new RelayHost({ relay, id: "kit", capabilities });
    const session = await openSession({ env, open: found.open, hostVersion: "0.0.0", ...(host && { host }) });
    return session.actor(actor);
  };
  return { definition: carriedActor(open, { needs: ["actors", "database"], options }) };
}

async function local(plugin: PluginUnderTest, options: HostOptions): Promise<ActorUnderTest> {
  const found = await carried(Promise.resolve(plugin), options);
  return found.missing === undefined ? { ...found, local: true } : found;
}

/** The same in TypeScript. */
const inTypeScript = {
  module: async (options: HostOptions): Promise<ActorUnderTest> => {
    const plugin = { name: "keeper", actors: { keeper } };
    const open = moduleCarrier(async (send) => new PluginSideSession(plugin, send));
    return await local({ open }, options);
  },
  worker: (options: HostOptions) => local({ open: program("keeper-worker.ts", "node") }, options),
  /** Its source says when it sleeps. */
  isolate: async (options: HostOptions): Promise<ActorUnderTest> => {
    const source = readFileSync(join(workers, "keeper.ts"), "utf8");
    const said = source.replace("  actions: {", `  options: ${JSON.stringify(options)},\n  actions: {`);
    const definition = dynamicActor({
      source: said,
      sourceFormat: "esm-ts",
      // What an isolate may take has stories of its own; here it may be a slow machine.
      limits: { memoryLimit: 256, cpuTimeLimitMs: 30_000 },
      needs: ["actors", "database", "events"],
    });
    return { definition, local: true };
  },
};

/** The kit's plugin of that name on every carrier that has middleware, and in every language. */
function everywhere(
  name: "around" | "asker",
): readonly (readonly [string, () => Promise<PluginUnderTest>])[] {
  const plugin = { around, asker }[name];
  const inC = join(workers, `${name}.c`);
  return [
    [
      "module, TypeScript",
      async () => ({ open: moduleCarrier(async (send) => new PluginSideSession(plugin, send)) }),
    ],
    ["worker, TypeScript", async () => ({ open: program(`${name}.ts`, "node") })],
    ["worker, Python", () => python(`${name}.py`)],
    ["native, C", () => inProcess(cPluginAt(inC))],
    ["native in its own process, C", () => inItsOwn(cPluginAt(inC))],
    ["wasm, C", () => inWasm(wasmPluginAt(inC))],
    ["native, Rust", () => inProcess(rustExample(name))],
    ["native in its own process, Rust", () => inItsOwn(rustExample(name))],
    ["worker, Rust", () => rustWorker(name)],
  ];
}

for (const [subject, find] of everywhere("around")) aroundKit(subject, find);
for (const [subject, find] of everywhere("asker")) hostKit(subject, find);

/** The kit's actor, on every carrier of native code and WebAssembly, and in workers. */
function keepersWith(
  options: HostOptions = {},
): readonly (readonly [string, () => Promise<ActorUnderTest>])[] {
  return [
    ["module, TypeScript", () => inTypeScript.module(options)],
    ["isolate, TypeScript", () => inTypeScript.isolate(options)],
    ["worker, TypeScript", () => inTypeScript.worker(options)],
    ["native, C", () => asActor(cPluginAt(...keeperInC), "library", options)],
    ["wasm, C", () => asActor(wasmPluginAt(...keeperInC), "wasm", options)],
    ["native, Rust", () => asActor(rustExample("keeper"), "library", options)],
    ["wasm, Rust", () => asActor(rustWasmExample("keeper"), "wasm", options)],
    ["worker, Rust", () => carried(rustWorker("keeper"), options)],
    ["worker, Python", () => carried(python("keeper.py"), options)],
  ];
}

const keepers = keepersWith();

/** Those of the languages that are in templates are in `templates.test.ts`. */
const counterSource = `
  import { actor, event } from "troupe";
  export default actor({
    state: { count: 0 },
    events: { changed: event() },
    actions: {
      get: (c) => c.state.count,
      increment: (c, by) => {
        c.state.count += by;
        c.broadcast("changed", c.state.count);
        return c.state.count;
      },
    },
  });`;
actorDefaultsKit("isolate, TypeScript", async () => ({
  definition: dynamicActor({ source: counterSource }),
}));
actorDefaultsKit("native, C", async () => {
  const found = await cExample("counter");
  return found.missing === undefined ? { definition: pluginActor({ library: found.path }) } : found;
});

/** What an actor of any language has: the table of docs/plugins/actors.md, row by row. */
const features: Readonly<Record<string, (subject: string, find: () => Promise<ActorUnderTest>) => void>> = {
  "state, keys, a database, calls of others, connections, its end": actorKit,
  "who comes, who leaves, who may listen": actorConnectionKit,
  "raw WebSockets": actorSocketKit,
  "HTTP requests": actorRequestKit,
  "its own queues": actorQueueKit,
  "schedules and cron": actorScheduleKit,
  "results in items": actorStreamKit,
  "an abort: its caller is gone, it is to stop": actorAbortKit,
};
for (const kit of Object.values(features)) for (const [subject, find] of keepers) kit(subject, find);
for (const [subject, find] of keepers) actorLaneKit(subject, find);

/** In Rust what asks is written in two ways, and native code has both; WebAssembly, above, has the second alone. */
for (const kit of [actorKit, actorRequestKit, actorQueueKit, actorScheduleKit, actorAbortKit])
  kit("native, Rust with await", () => asActor(rustExample("keeper"), "library", {}, "asking"));
for (const [subject, find] of keepersWith({ sleepTimeout: 100 })) {
  actorAwakeKit(subject, find);
  actorHibernationKit(subject, find);
  actorSocketSleepKit(subject, find);
}

/** Its actor that calls tools and models. */
const callers: readonly (readonly [string, (needs: readonly Capability[]) => Promise<ActorUnderTest>])[] = [
  [
    "module, TypeScript",
    (capabilities) => {
      const plugin = { name: "caller", actors: { caller } };
      const open = moduleCarrier(async (send) => new PluginSideSession(plugin, send));
      return carried(Promise.resolve({ open }), {}, { actor: "caller", capabilities });
    },
  ],
  [
    "isolate, TypeScript",
    async (capabilities) => {
      const source = readFileSync(join(workers, "caller.ts"), "utf8");
      const needs = capabilities.includes("calls") ? (["calls"] as const) : [];
      return { definition: dynamicActor({ source, sourceFormat: "esm-ts", needs }) };
    },
  ],
  [
    "worker, TypeScript",
    (capabilities) =>
      carried(
        Promise.resolve({ open: program("caller-worker.ts", "node") }),
        {},
        { actor: "caller", capabilities },
      ),
  ],
  ["worker, Python", (capabilities) => carried(python("caller.py"), {}, { actor: "caller", capabilities })],
];
for (const [subject, find] of callers)
  callKit(
    subject,
    () => find(["calls"]),
    () => find([]),
  );

test("docs/plugins/actors.md says of each language what its stories say", () => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/plugins/actors.md"), "utf8");
  const [, table = ""] = text.split("## What they have, in each language\n\n");
  const [head = [], , ...rows] = table.split("\n\n", 1)[0]?.split("\n").map(cells) ?? [];
  // A subject is "native, C"; a column "C, native".
  const columns = keepers.map(([subject]) => subject.split(", ").reverse().join(", "));
  expect(head.slice(1).map((column) => column.replace("WebAssembly", "wasm"))).toEqual(columns);
  const all = columns.map(() => "yes");
  const others = ["keep-awake", "clients that stay while it sleeps", "raw sockets that stay", "its scope"];
  expect(rows).toEqual([...Object.keys(features), ...others].map((name) => [name, ...all]));
});

function cells(row: string): string[] {
  return row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe("S5.6 the active scope follows the call:", () => {
  const arounds = new Map(everywhere("around"));
  for (const [subject, find] of everywhere("asker")) scopeKit(subject, find, arounds.get(subject) ?? find);
  for (const [subject, find] of keepers) actorScopeKit(subject, find);
});

leaksKit(
  "module, TypeScript",
  async () => ({ open: moduleCarrier(async (send) => new PluginSideSession(guardrail, send)) }),
  1_000,
);
leaksKit("native, C", () => inProcess(cExample("guardrail")), 200);
leaksKit("worker, TypeScript", async () => ({ open: program("guardrail.ts", "node") }), 0);
leaksKit("worker, Python", () => python("guardrail.py"), 2);
