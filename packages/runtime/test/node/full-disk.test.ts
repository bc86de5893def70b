/** A disk that is full: whose room is had back, what callers and watchers are told, and that a start needs none. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { SmallDisk } from "../storage/small-disk.ts";
import { LimitedServer } from "./limited-server.ts";

const WHY = "no file system can be mounted here: it takes root";
const FULL = {
  status: 507,
  group: "storage",
  code: "disk_full",
  message: "No space is left on the server's disk: make room there",
  retryable: false,
};

/** Bytes of all logs. */
function logBytes(dataDir: string): number {
  const names = readdirSync(dataDir, { recursive: true, encoding: "utf8" });
  const logs = names.filter((name) => name.endsWith("-wal"));
  return logs.reduce((sum, name) => sum + statSync(join(dataDir, name)).size, 0);
}

/** Writes until the logs have so many bytes. */
async function writeLog(server: LimitedServer, dataDir: string, bytes: number): Promise<number> {
  for (;;) {
    const count = await server.call("counter", "a", "add", 60_000);
    if (logBytes(dataDir) >= bytes) return Number(count);
  }
}

test("what a log holds of a full disk is had back, and nobody notices; also with databases that have to grow", async (context) => {
  using disk = SmallDisk.mount(16);
  if (disk === undefined) return context.skip(WHY);
  const dataDir = join(disk.path, "data");
  await using server = await LimitedServer.start(dataDir);
  const count = await writeLog(server, dataDir, 6_000_000);
  disk.fill();
  expect(await server.call("counter", "a", "add", 60_000)).toBe(count + 1);
  expect(logBytes(dataDir)).toBeLessThan(1_000_000);
  expect(await server.call("counter", "new", "add", 60_000)).toBe(1);
  expect(await server.call("notes", "new", "add")).toEqual({ n: 1 });
  expect(await server.ready()).toBe("200 ok\n");
  expect(await server.stop()).toBe(0);
}, 60_000);

test("when there is nothing to be had back all writes fail with one code, /readyz says it, and both end when there is room", async (context) => {
  using disk = SmallDisk.mount(8);
  if (disk === undefined) return context.skip(WHY);
  const dataDir = join(disk.path, "data");
  await using server = await LimitedServer.start(dataDir);
  expect(await server.call("counter", "a", "add")).toBe(1);
  expect(await server.call("notes", "a", "add")).toEqual({ n: 1 });
  const fill = (): void => {
    rmSync(join(dataDir, "ballast"), { force: true });
    disk.fill();
  };
  fill();
  const large = 1_500_000;
  expect(await server.call("counter", "a", "add", large)).toMatchObject({
    ...FULL,
    metadata: { applied: "no" },
  });
  fill();
  expect(await server.call("notes", "a", "add", 200_000)).toMatchObject({
    ...FULL,
    metadata: { applied: "no" },
  });
  fill();
  expect(await server.call("counter", "new", "add", large)).toMatchObject(FULL);
  expect(await server.call("notes", "new", "add", 200_000)).toMatchObject(FULL);
  // The log is often on the same disk: a failed call has no line of its own, and no stack.
  for (let call = 0; call < 40; call += 1)
    expect(await server.call("counter", "a", "add", large)).toMatchObject({ code: "disk_full" });
  expect(server.log.match(/calls are refused for the moment/g)).toHaveLength(1);
  expect(server.log.length).toBeLessThan(10_000);
  expect(await server.ready()).toBe("503 storage.disk_full\n");
  expect(await server.call("counter", "a", "count")).toBe(1);
  disk.makeRoom();
  await expect.poll(() => server.ready(), { timeout: 10_000 }).toBe("200 ok\n");
  expect(await server.call("counter", "a", "add", 1_000)).toBe(2);
  expect(await server.call("notes", "a", "add")).toEqual({ n: 2 });
  expect(await server.call("notes", "new", "add")).toEqual({ n: 1 });
  expect(server.log.match(/writes fail, and \/readyz with them/g)).toHaveLength(1);
  expect(await server.stop()).toBe(0);
}, 60_000);

test("a full disk doesn't keep a server from starting: its own logs are room enough", async (context) => {
  using disk = SmallDisk.mount(16);
  if (disk === undefined) return context.skip(WHY);
  const dataDir = join(disk.path, "data");
  let count: number;
  {
    await using server = await LimitedServer.start(dataDir);
    expect(await server.call("notes", "a", "add")).toEqual({ n: 1 });
    count = await writeLog(server, dataDir, 6_000_000);
    // Killed.
  }
  disk.fill();
  await using server = await LimitedServer.start(dataDir);
  expect(logBytes(dataDir)).toBeLessThan(1_000_000);
  expect(await server.call("counter", "a", "add", 60_000)).toBe(count + 1);
  expect(await server.call("notes", "a", "add")).toEqual({ n: 2 });
  expect(await server.call("notes", "new", "add")).toEqual({ n: 1 });
  expect(await server.stop()).toBe(0);
}, 60_000);

test("limits: the ballast has 1 MiB, is made at a start where four times as much is free beside it, and holds nothing", async (context) => {
  expect(limits.ballastBytes).toBe(1024 * 1024);
  using disk = SmallDisk.mount(16);
  if (disk === undefined) return context.skip(WHY);
  const ballast = join(disk.path, "data", "ballast");
  for (let start = 0; start < 2; start += 1) {
    await using server = await LimitedServer.start(join(disk.path, "data"));
    expect(statSync(ballast).size).toBe(limits.ballastBytes);
    rmSync(ballast);
    expect(await server.call("counter", "a", "add")).toBe(start + 1);
    expect(await server.stop()).toBe(0);
  }
  using small = SmallDisk.mount(4);
  if (small === undefined) return context.skip(WHY);
  await using server = await LimitedServer.start(join(small.path, "data"));
  expect(readdirSync(join(small.path, "data"))).not.toContain("ballast");
  expect(await server.stop()).toBe(0);
}, 60_000);
