/**
 * One measurement of agent-os in a process of its own: a server over fresh files, and a client that speaks to it over the loopback.
 * `node bench/agent-os.ts <name>` prints a list of numbers as JSON.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentOS, ProcessDriver } from "@troupe/agent-os";
import { subscribe } from "@troupe/agent-os/client";
import { createClient } from "@troupe/client";
import { actor, setup } from "@troupe/runtime";

const SANDBOXES = 200;
const EVENTS = 10_000;

const agent = { command: process.execPath, args: [join(import.meta.dirname, "stamping-agent.ts")] };
const machine = agentOS({ sandbox: new ProcessDriver() });
const counter = actor({ state: { count: 0 }, actions: { increment: (c) => ++c.state.count } });
const registry = setup({ use: { workspace: agentOS({ agents: { agent } }), machine, counter } });
const dataDir = mkdtempSync(join(tmpdir(), "troupe-bench-"));
const { port } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
const client = createClient<typeof registry>({ endpoint: `http://127.0.0.1:${port}`, encoding: "cbor" });
const workspace = (key: string) => client.workspace.getOrCreate([key]);
const now = () => performance.timeOrigin + performance.now();

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = now();
  await work();
  return now() - before;
}

async function times(count: number, work: (n: number) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < count; n += 1) taken.push(await timed(() => work(n)));
  return taken;
}

/** What the process has, when nothing of it is garbage. */
async function resident(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => void setImmediate(resolve));
  }
  return process.memoryUsage.rss();
}

const measurements: Readonly<Record<string, () => Promise<number[]>>> = {
  new: async () => {
    await times(10, (n) => workspace(`warm${n}`).exec("echo x"));
    return await times(100, (n) => workspace(`new${n}`).exec("echo x"));
  },
  cold: async () => {
    // Gateway, client and SQL have worked; no sandbox has.
    await workspace("other").listAgents();
    return await times(1, () => workspace("first").exec("echo x"));
  },
  process: async () => {
    await times(3, (n) => client.machine.getOrCreate([`warm${n}`]).exec("echo x"));
    return await times(20, (n) => client.machine.getOrCreate([`new${n}`]).exec("echo x"));
  },
  echo: async () => {
    const conn = workspace("a").connect();
    await times(50, () => conn.exec("echo x"));
    return await times(300, () => conn.exec("echo x"));
  },
  memory: async () => {
    await times(20, (n) => workspace(`warm${n}`).exec("true"));
    const before = await resident();
    await times(SANDBOXES, (n) => workspace(`held${n}`).exec("true"));
    return [((await resident()) - before) / SANDBOXES];
  },
  crowd: async () => {
    const all = Array.from({ length: SANDBOXES }, (_, n) => workspace(`c${n}`).exec("echo x"));
    const settled = await Promise.allSettled(all);
    return [settled.filter(({ status }) => status === "fulfilled").length];
  },
  loop: async () => {
    const beside = client.counter.getOrCreate(["beside"]).connect();
    const calls = (count: number) => times(count, () => beside.increment());
    const p99 = (taken: number[]) =>
      taken.sort((one, other) => one - other)[Math.floor(taken.length * 0.99)] ?? 0;
    const conn = workspace("a").connect();
    await conn.exec("true");
    await calls(2_000);
    const [alone, atFirst, beneath]: [number[], number[], number[]] = [[], [], []];
    // In turns, and of all of them one p99 each: what else the machine does meanwhile is on all sides.
    for (let round = 0; round < 12; round += 1) {
      alone.push(...(await calls(1_000)));
      const { pid } = await conn.spawn("bash", ["-c", "while true; do :; done"]);
      atFirst.push(...(await calls(1_000)));
      // Until it has run for longer than commands do.
      await new Promise((resolve) => void setTimeout(resolve, 1_500));
      beneath.push(...(await calls(1_000)));
      await conn.killProcess(pid);
      await conn.waitProcess(pid);
    }
    const before = p99(alone);
    return [p99(beneath) / before, p99(atFirst) / before];
  },
  event: async () => {
    const conn = workspace("a").connect();
    await conn.openSession();
    const late: number[] = [];
    conn.on("sessionEvent", ({ event }) => {
      if (event.sessionUpdate === "agent_message_chunk" && event.content.type === "text")
        late.push(now() - Number(event.content.text));
    });
    await conn.prompt({ content: "100 5" });
    late.length = 0;
    await conn.prompt({ content: "300 5" });
    return late;
  },
  replay: async () => {
    const conn = workspace("a").connect();
    await conn.openSession();
    await conn.prompt({ content: `${EVENTS} 0` });
    const replay = async () => {
      for await (const { sequence } of subscribe(conn, { sessionId: "main" }))
        if (sequence === EVENTS) return;
    };
    await replay();
    return await times(3, replay);
  },
};

try {
  const measure = measurements[process.argv[2] ?? ""];
  if (measure === undefined) throw new RangeError(`one of ${Object.keys(measurements).join(", ")}`);
  process.stdout.write(JSON.stringify(await measure()));
} finally {
  await registry.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit(0);
