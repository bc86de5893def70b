/** What docs/agent-os.md and docs/moving-from-agentos.md show does what the pages say: their blocks run as they stand there, one after the other. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type AgentOSConfig,
  type AgentOSDefinition,
  agentOS,
  EmbeddedDriver,
  type Entry,
  ProcessDriver,
} from "@troupe/agent-os";
import { subscribe } from "@troupe/agent-os/client";
import { event, type Registry, setup, setupTest } from "@troupe/runtime";
import { expect, onTestFinished, test } from "vitest";
import { scripted } from "./support/agents.ts";

type Named = Readonly<Record<string, unknown>>;
type Workspaces = Registry<{ workspace: AgentOSDefinition }>;

function blocksOf(page: string): string[] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
}

const blocks = [...blocksOf("agent-os.md"), ...blocksOf("moving-from-agentos.md")];

/** Runs the pages' one block that has this in it, among these names, and gives what it declares under one of its own. */
async function run(part: string, names: Named, declared = "undefined"): Promise<unknown> {
  const [code, ...others] = blocks.filter((block) => block.includes(part));
  if (code === undefined || others.length > 0) throw new Error(`${others.length} other blocks with ${part}`);
  const source = stripTypeScriptTypes(code.replaceAll(/^import .*$/gm, "").replaceAll(/^export /gm, ""));
  const body = `return (async () => { ${source}\nreturn ${declared}; })()`;
  return await new Function(...Object.keys(names), body)(...Object.values(names));
}

/** `agentOS`, with an agent that is here. */
const withAgent = (config: AgentOSConfig) =>
  agentOS({ ...config, agents: { coder: scripted }, permissions: "ask" });

async function* firstOf(events: AsyncIterable<Entry>, count: number): AsyncGenerator<Entry> {
  let seen = 0;
  for await (const entry of events) {
    yield entry;
    seen += 1;
    if (seen === count) return;
  }
}

test("docs/agent-os.md: a client opens a session, is asked, and has files, snapshots, processes, shells and jobs", async (t) => {
  const checked: unknown[] = [];
  const own = { agentOS: withAgent, event, checkToken: (params: unknown) => void checked.push(params) };
  const workspace = (await run("counted: event<number>()", own, "workspace")) as AgentOSDefinition;
  const { client } = await setupTest<{ workspace: AgentOSDefinition }>(t, setup({ use: { workspace } }));
  const conn = client.workspace.getOrCreate(["my-project"]).connect();
  const printed: unknown[][] = [];
  const console = { log: (...line: unknown[]) => void printed.push(line) };

  const follow = (...args: Parameters<typeof subscribe>) => firstOf(subscribe(...args), 2);
  await run("const client = createClient", { createClient: () => client, subscribe: follow, console });
  expect(printed.splice(0)).toMatchObject([
    [1, { sessionUpdate: "user_message_chunk" }],
    [2, { sessionUpdate: "agent_message_chunk" }],
  ]);
  await run('conn.on("permissionRequest"', { conn });
  const said: unknown[] = [];
  conn.on("sessionEvent", ({ event }) => said.push("content" in event ? event.content : event));
  await expect.poll(async () => (await conn.getSession()).state).toBe("idle");
  await conn.prompt({ content: "ask" });
  expect(said).toContainEqual({ type: "text", text: "yes" });

  await conn.writeFile("/home/user/src/a", "a");
  await run("importRootFilesystem(bundle)", { client, conn });
  expect(await client.workspace.getOrCreate(["a-copy"]).exists("/home/user/src/a")).toBe(true);
  await run("forkSnapshot", { client, conn });
  for (const key of [["my-project"], ["my-project", "experiment"]])
    expect(await client.workspace.getOrCreate(key).exists("/home/user/src/a")).toBe(true);

  const shown: string[] = [];
  const show = (data: Uint8Array) => void shown.push(new TextDecoder().decode(data));
  await run("streamStdin: true", {
    conn,
    console,
    show: (_pid: number, _stream: string, data: Uint8Array) => show(data),
  });
  expect(printed.pop()).toEqual([0]);
  expect(shown.join("").replaceAll(/ +/g, " ")).toBe(" 1 a\n 2 b\n");
  const terminal = { write: show };
  await run("openShell({ cols", { conn, console, terminal });
  await expect.poll(() => shown.join("")).toContain("ls -l");
  await run('conn.on("limitWarning"', { conn, console });
  await conn.exec("sleep 5", { timeoutMs: 300 }).catch(() => undefined);
  await expect.poll(() => printed).toContainEqual(["execMs: 240 of 300", undefined]);
  await run('conn.on("cronEvent"', { conn, console });
  expect((await conn.listCronJobs()).map(({ id }) => id)).toContain("tests");
  expect(checked.length).toBeGreaterThan(0);
}, 120_000);

test("docs/agent-os.md: the quickstart's agent, in a folder of its own, writes what it says", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-quickstart-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(fileURLToPath(new URL("../../../node_modules", import.meta.url)), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const program = blocks.find((block) => block.startsWith("// agent.ts"));
  writeFileSync(join(folder, "agent.ts"), program ?? "");
  const inFolder = ({ agents, ...config }: AgentOSConfig) => {
    const { coder } = agents ?? {};
    if (coder === undefined) throw new Error("the quickstart has one agent");
    return agentOS({ ...config, agents: { coder: { ...coder, cwd: folder } } });
  };
  const names = { agentOS: inFolder, setup, process: { execPath: process.execPath } };
  const registry = (await run("Any program that speaks ACP", names, "registry")) as Workspaces;
  const { client } = await setupTest(t, registry);
  const conn = client.workspace.getOrCreate(["my-project"]).connect();
  await conn.openSession();
  expect(await conn.prompt({ content: "Write a haiku" })).toEqual({ stopReason: "end_turn" });
  expect((await conn.exec("wc -l < haiku.txt")).stdout.trim()).toBe("3");
});

test("docs/moving-from-agentos.md: a program that was moved does what it did", async (t) => {
  const installed = (config: AgentOSConfig) => agentOS({ ...config, agents: { pi: scripted } });
  const workspace = (await run('command: "pi-acp" } }', { agentOS: installed }, "vm")) as AgentOSDefinition;
  const { client } = await setupTest<{ workspace: AgentOSDefinition }>(t, setup({ use: { workspace } }));
  const conn = client.workspace.getOrCreate(["a"]).connect();
  const shown: number[] = [];
  const show = (sequence: number) => void shown.push(sequence);
  const events = (await run('content: "List the files"', { conn, show }, "events")) as readonly Entry[];
  expect(events.length).toBeGreaterThan(1);
  expect(shown).toEqual(events.map(({ sequence }) => sequence));
});

test("docs/agent-os.md: its definitions are ones", async (t) => {
  const names = {
    agentOS,
    EmbeddedDriver,
    ProcessDriver,
    setup,
    event,
    process: { env: {} },
    placeOf: async () => "here",
  };
  for (const part of [
    'command: "pi-acp", cwd',
    "Says where a flower grows",
    "upstreams: { anthropic",
    'mode: "overlay"',
    "cpuSeconds: 600",
    "cpuSeconds: 30",
    "inside: true",
  ]) {
    // What is asked of a definition's client comes behind it.
    const conn = { openSession: async () => undefined };
    const workspace = (await run(part, { ...names, conn }, "workspace")) as AgentOSDefinition;
    await setupTest(t, setup({ use: { workspace } }));
  }
  const keyed = { ...names, process: { env: { GITHUB_TOKEN: "x" } } };
  await run("https://*.example.com/v1", keyed, "workspace");
});
