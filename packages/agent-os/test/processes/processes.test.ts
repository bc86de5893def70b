/** Processes through the actor: actions, events, replay, limits, and what keeps it awake. */
import { type AgentOSConfig, agentOS, type ProcessExit, type ProcessOutput } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { actor, setup, setupTest } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { Ground } from "../../../runtime/test/sql/ground.ts";
import { rejection } from "../support/errors.ts";
import { Serving } from "../support/serving.ts";

const start = (config: AgentOSConfig = {}) => Ground.start({ workspace: agentOS(config) });
const handleOf = (ground: Awaited<ReturnType<typeof start>>) => ground.client.workspace.getOrCreate(["a"]);
const text = (events: readonly ProcessOutput[]) =>
  events.map(({ data }) => new TextDecoder().decode(data)).join("");
/** As a program without types gives it. */
const given = <T>(value: unknown): T => value as T;
const LOOP = ["-c", "while true; do :; done"];

test("output is told as it comes and kept for who comes late; the exit comes behind it", async () => {
  await using serving = await Serving.start({});
  const { client } = await serving.client();
  const conn = client.workspace.getOrCreate(["a"]).connect();
  const told: (ProcessOutput | ProcessExit)[] = [];
  const exited = new Promise<void>((resolve) => {
    conn.on("processOutput", (output) => void told.push(output));
    conn.on("processExit", (exit) => {
      told.push(exit);
      resolve();
    });
  });
  const { pid } = await conn.spawn("sh", ["-c", "cat; echo err >&2; exit 3"], { streamStdin: true });
  await conn.writeProcessStdin(pid, "in");
  expect(await conn.getProcess(pid)).toMatchObject({ pid, command: "sh", running: true, exitCode: null });
  expect(await conn.readProcessOutput({ pid })).toMatchObject({ events: [], end: false });
  await conn.closeProcessStdin(pid);
  expect(await conn.waitProcess(pid)).toBe(3);
  await exited;
  expect(told).toMatchObject([
    { pid, stream: "stdout", sequence: 1 },
    { pid, stream: "stderr", sequence: 2 },
    { pid, exitCode: 3, signal: null },
  ]);
  const page = await conn.readProcessOutput({ pid });
  expect([text(page.events), page.nextCursor, page.truncated, page.end]).toEqual(["inerr\n", 2, false, true]);
  expect((await conn.readProcessOutput({ pid, after: 1, limit: 1 })).events).toMatchObject([{ sequence: 2 }]);
  expect(await conn.listProcesses()).toMatchObject([{ pid, running: false, exitCode: 3 }]);
}, 60_000);

test("a process keeps its actor awake; stop and kill are signals, and a number is never another's", async () => {
  await using ground = await start();
  const handle = handleOf(ground);
  const [looping, stopped] = [await handle.spawn("sh", LOOP), await handle.spawn("sh", LOOP)];
  const actorId = await handle.resolve();
  const awake = () => ground.runtime.host.instance(actorId)?.report().awakeReasons ?? [];
  expect(awake().join()).toContain("keepAwake");
  await handle.stopProcess(stopped.pid);
  expect(await handle.waitProcess(stopped.pid)).toBe(143);
  await handle.signalProcess(looping.pid, "SIGINT");
  expect(await handle.waitProcess(looping.pid)).toBe(130);
  await handle.killProcess(looping.pid);
  await vi.waitFor(() => expect(awake().join()).not.toContain("keepAwake"), 10_000);
  const last = await handle.spawn("sh", LOOP);
  await ground.restart();
  expect(await rejection(handleOf(ground).waitProcess(last.pid))).toBe("process.not_found");
  expect((await handleOf(ground).spawn("true")).pid).toBe(last.pid + 1);
}, 60_000);

test("the limits of processes, of their output and of their time are enforced, and warned of", async () => {
  await using serving = await Serving.start({ limits: { processes: 2, processOutputBytes: 1_000 } });
  const { client } = await serving.client();
  const conn = client.workspace.getOrCreate(["a"]).connect();
  const warned: unknown[] = [];
  const exits: ProcessExit[] = [];
  conn.on("limitWarning", (warning) => void warned.push(warning));
  conn.on("processExit", (exit) => void exits.push(exit));
  const [a, b] = [await conn.spawn("sh", LOOP), await conn.spawn("sh", LOOP, { timeoutMs: 200 })];
  expect(await rejection(conn.spawn("true"))).toBe("process.too_many");
  expect(await conn.waitProcess(b.pid)).toBe(137);
  const near = await conn.spawn("printf", ["%0900d", "1"]);
  expect(await conn.waitProcess(near.pid)).toBe(0);
  const flood = await conn.spawn("printf", ["%01001d", "1"]);
  await conn.waitProcess(flood.pid);
  await conn.killProcess(a.pid);
  await vi.waitFor(() => expect(exits).toHaveLength(4), 10_000);
  expect(exits.map(({ error }) => error?.split(":")[0])).toEqual([
    "process.timed_out",
    undefined,
    "process.output_exceeded",
    undefined,
  ]);
  expect(warned).toContainEqual({ limit: "processes", used: 2, most: 2 });
  expect(warned).toContainEqual({ limit: "processMs", used: 160, most: 200, pid: b.pid });
  expect(warned).toContainEqual({ limit: "processOutputBytes", used: 900, most: 1_000, pid: near.pid });
  expect((await conn.readProcessOutput({ pid: flood.pid })).events).toEqual([]);
  // Who comes late can read what the listeners of `processExit` heard.
  const late = await conn.getProcess(flood.pid);
  expect(late).toMatchObject({ running: false, exitCode: 137, signal: "SIGKILL" });
  expect(late.error).toMatch(/^process\.output_exceeded: /);
  expect(await conn.getProcess(near.pid)).not.toHaveProperty("error");
}, 60_000);

test("those that ended are known for a while; what isn't an argument is refused by name", async (t) => {
  const { client } = await setupTest(
    t,
    setup({ use: { workspace: agentOS(), other: actor({ actions: {} }) } }),
  );
  const handle = client.workspace.getOrCreate(["a"]);
  const first = await handle.spawn("true");
  await handle.waitProcess(first.pid);
  for (let n = 0; n < limits.processesKept; n += 1)
    await handle.waitProcess((await handle.spawn("true")).pid);
  expect(await rejection(handle.getProcess(first.pid))).toBe("process.not_found");
  expect(await handle.listProcesses()).toHaveLength(limits.processesKept);
  const refusals: [string, () => Promise<unknown>][] = [
    ["command", () => handle.spawn("")],
    ["args", () => handle.spawn("ls", given("-l"))],
    ["args.0", () => handle.spawn("ls", given([1]))],
    ["streamStdin", () => handle.spawn("ls", [], given({ streamStdin: 1 }))],
    ["timeoutMs", () => handle.spawn("ls", [], { timeoutMs: 0 })],
    ["signal", () => handle.signalProcess(first.pid + 1, "SIGBUS")],
    ["after", () => handle.readProcessOutput({ pid: first.pid, after: -1 })],
    ["limit", () => handle.readProcessOutput({ pid: first.pid, limit: 257 })],
  ];
  for (const [name, call] of refusals)
    await expect(call()).rejects.toMatchObject({ code: "invalid_argument", metadata: { name } });
  expect(await rejection(handle.spawn("ls", [], given({ stdin: "x" })))).toBe("sandbox.unknown_option");
}, 60_000);
