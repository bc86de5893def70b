/** Shells through the actor: actions, events, replay, limits, and what keeps it awake. */
import { agentOS, type ShellData, type ShellExit } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { expect, test, vi } from "vitest";
import { Ground } from "../../../runtime/test/sql/ground.ts";
import { rejection } from "../support/errors.ts";
import { Serving } from "../support/serving.ts";

const text = (told: readonly ShellData[]) => told.map(({ data }) => new TextDecoder().decode(data)).join("");
/** As a program without types gives it. */
const given = <T>(value: unknown): T => value as T;

test("what a shell shows is told, and kept for who comes late; its end comes behind it", async () => {
  await using serving = await Serving.start({});
  const { client } = await serving.client();
  const conn = client.workspace.getOrCreate(["a"]).connect();
  const told: ShellData[] = [];
  const exited = new Promise<ShellExit>((resolve) => conn.on("shellExit", resolve));
  conn.on("shellData", (data) => void told.push(data));
  const { shellId } = await conn.openShell({ cols: 100, rows: 30, cwd: "/tmp", env: { NAME: "ann" } });
  await conn.writeShell(shellId, "echo $PWD $NAME $COLUMNS\r");
  await vi.waitFor(() => expect(text(told)).toContain("\n/tmp ann 100\r\n"), 30_000);
  await conn.resizeShell(shellId, 120, 40);
  await conn.writeShell(shellId, "echo $COLUMNS; echo made > made\r");
  await vi.waitFor(() => expect(text(told)).toContain("\n120\r\n"), 30_000);
  expect(await conn.listShells()).toEqual([{ shellId, running: true }]);
  await conn.writeShell(shellId, "exit 5\r");
  expect(await conn.waitShell(shellId)).toBe(5);
  expect(await exited).toEqual({ shellId, exitCode: 5 });
  const page = await conn.readShellOutput({ shellId });
  expect(text(page.events)).toBe(text(told));
  expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, index) => index + 1));
  expect((await conn.readShellOutput({ shellId, after: 1, limit: 1 })).events).toMatchObject([
    { sequence: 2 },
  ]);
  expect(new TextDecoder().decode(await conn.readFile("/tmp/made"))).toBe("made\n");
  expect(await rejection(conn.writeShell(shellId, "late"))).toBe("shell.ended");
}, 60_000);

test("a live shell keeps its actor awake; a closed one doesn't, and is never another's", async () => {
  await using ground = await Ground.start({ workspace: agentOS() });
  const handle = () => ground.client.workspace.getOrCreate(["a"]);
  const { shellId } = await handle().openShell();
  const actorId = await handle().resolve();
  const awake = () => ground.runtime.host.instance(actorId)?.report().awakeReasons ?? [];
  expect(awake().join()).toContain("keepAwake");
  await handle().closeShell(shellId);
  expect(await handle().waitShell(shellId)).toBe(129);
  await vi.waitFor(() => expect(awake().join()).not.toContain("keepAwake"), 10_000);
  const last = await handle().openShell();
  await ground.restart();
  expect(await rejection(handle().writeShell(last.shellId, "x"))).toBe("shell.not_found");
  expect((await handle().openShell()).shellId).not.toBe(last.shellId);
}, 60_000);

test("there are so many shells, of a size; what isn't an argument is refused by name", async () => {
  await using ground = await Ground.start({ workspace: agentOS() });
  const handle = ground.client.workspace.getOrCreate(["a"]);
  const { shellId } = await handle.openShell();
  for (let n = 1; n < limits.shells; n += 1) await handle.openShell();
  expect(await rejection(handle.openShell())).toBe("process.too_many");
  const refusals: [string, () => Promise<unknown>][] = [
    ["cols", () => handle.openShell({ cols: 0 })],
    ["rows", () => handle.resizeShell(shellId, 80, limits.terminalCharacters + 1)],
    ["command", () => handle.openShell({ command: "" })],
    ["content", () => handle.writeShell(shellId, given(5))],
    ["after", () => handle.readShellOutput({ shellId, after: -1 })],
  ];
  for (const [name, call] of refusals)
    await expect(call()).rejects.toMatchObject({ code: "invalid_argument", metadata: { name } });
  expect(await rejection(handle.openShell(given({ columns: 1 })))).toBe("sandbox.unknown_option");
  for (const name of ["shell-999", "1", "shell-0x1"])
    expect(await rejection(handle.waitShell(name))).toBe("shell.not_found");
}, 60_000);
