/** Room behind a log's end: commits overwrite it, and nobody who reads the log sees it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { loadText, Writer } from "../../../../conformance/storage/writer.ts";
import { LOG_ROOM_BYTES, overwritesInPlace } from "../../src/node/sqlite/log-room.ts";
import {
  type LocalStore,
  type LocalStoreOptions,
  openLocalStore,
} from "../../src/node/sqlite/open-local-store.ts";
import { openDatabase } from "../../src/node/sqlite/sqlite.ts";
import { SmallDisk } from "./small-disk.ts";
import { temporaryDirectory, testEnv } from "./test-env.ts";

const ADDRESS = { namespace: "default", name: "counter", key: ["one"] };
const FRAME_BYTES = 24 + 2_048;
/** Where a log says how often it has started over. */
const LAP_AT = 12;
const makesRoom = overwritesInPlace(join(tmpdir(), "file"));

const database = (dataDir: string) => join(dataDir, "shard-00.db");
const log = (dataDir: string) => join(dataDir, "shard-00.db-wal");

interface Opened extends AsyncDisposable {
  readonly store: LocalStore;
  readonly writer: Writer;
}

async function open(dataDir: string, options: Partial<LocalStoreOptions> = {}): Promise<Opened> {
  const onFatal = (cause: unknown) => {
    throw cause;
  };
  const store = await openLocalStore({ env: testEnv(), dataDir, onFatal, lockWaitMs: 100, ...options });
  const { directory } = store;
  const record = (await directory.find(ADDRESS)) ?? (await directory.create(ADDRESS)).record;
  const writer = new Writer(await store.storage.open(record, (await directory.claim(record.id)).generation));
  return { store, writer, [Symbol.asyncDispose]: () => store.close() };
}

async function count(writer: Writer, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) expect(await writer.put({ count: `${n}` })).toEqual({ durable: true });
}

/** How long the log is, and how much of that are zeros behind its last frame. */
function logOf(dataDir: string): { readonly bytes: number; readonly room: number } {
  const content = readFileSync(log(dataDir));
  const end = content.findLastIndex((byte) => byte !== 0) + 1;
  return { bytes: content.length, room: content.length - end };
}

/** How often the log became longer. */
async function growths(dataDir: string, writer: Writer, commits: number): Promise<number> {
  let growths = 0;
  for (let n = 1; n <= commits; n += 1) {
    const before = statSync(log(dataDir)).size;
    await count(writer, n, n);
    if (statSync(log(dataDir)).size > before) growths += 1;
  }
  return growths;
}

test.runIf(makesRoom)("a log becomes longer by many commits at once", async () => {
  using directory = temporaryDirectory();
  await using opened = await open(directory.path);
  const commits = 200;
  const times = await growths(directory.path, opened.writer, commits);
  expect(times).toBeGreaterThan(1);
  expect(times).toBeLessThanOrEqual(2 + (commits * FRAME_BYTES * 2) / LOG_ROOM_BYTES);
  // What was written twice is no more than what was written once.
  expect(logOf(directory.path).bytes).toBeLessThan(commits * FRAME_BYTES * 2 + 2 * LOG_ROOM_BYTES);
});

test.runIf(makesRoom)("a log with room behind its end is read whole after kill -9", async () => {
  using directory = temporaryDirectory();
  const script = new URL("./local-store-child.ts", import.meta.url).pathname;
  const child: ChildProcess = spawn(
    process.execPath,
    ["--conditions=troupe-source", script, directory.path, "write"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let acknowledged = 0;
  if (child.stdout === null) throw new Error("the child has no stdout");
  for await (const line of createInterface(child.stdout)) {
    if (line !== "open") acknowledged = Number(line);
    if (acknowledged === 100) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  expect(acknowledged).toBeGreaterThanOrEqual(100);
  expect(logOf(directory.path).room).toBeGreaterThan(FRAME_BYTES);
  await using opened = await open(directory.path);
  const rows = await loadText(opened.writer.store);
  expect(Number(rows["count"])).toBeGreaterThanOrEqual(acknowledged);
  expect(rows["twin"]).toBe(rows["count"]);
});

test.runIf(makesRoom)("a log that starts over has room already, of what it was", async () => {
  using directory = temporaryDirectory();
  await using opened = await open(directory.path, { checkpointBytes: 4 * LOG_ROOM_BYTES });
  const { writer } = opened;
  const lap = () => readFileSync(log(directory.path)).readUInt32BE(LAP_AT);
  // Too large for room to be made, and so many that the log is longer than the room that there was.
  let text = "";
  await count(writer, 1, 1);
  const first = lap();
  for (let n = 0; lap() === first; n += 1) {
    // Each another: what is as it was isn't written.
    text = `${n} `.repeat(LOG_ROOM_BYTES / 4);
    expect(await writer.put({ text })).toEqual({ durable: true });
  }
  const before = statSync(log(directory.path)).size;
  expect(before).toBeGreaterThan(2 * LOG_ROOM_BYTES);
  expect(await growths(directory.path, writer, 10)).toBe(0);
  await count(writer, 1, 1_000);
  expect(logOf(directory.path).bytes).toBeLessThan(before + 2 * LOG_ROOM_BYTES);
  expect(await loadText(writer.store)).toEqual({ count: "1000", text });
});

test.runIf(makesRoom)("somebody else who writes to the file meanwhile loses nothing", async () => {
  using directory = temporaryDirectory();
  {
    await using opened = await open(directory.path);
    const stranger = openDatabase(database(directory.path), { timeoutMs: 5_000 });
    stranger.exec("PRAGMA wal_autocheckpoint = 0; CREATE TABLE theirs (n INTEGER PRIMARY KEY, text TEXT)");
    for (let n = 1; n <= 150; n += 1) {
      await count(opened.writer, n, n);
      stranger.exec(`INSERT INTO theirs VALUES (${n}, '${"x".repeat((n * 97) % 9_000)}')`);
    }
    stranger.close();
  }
  const after = openDatabase(database(directory.path));
  expect(after.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  expect(after.prepare("SELECT count(*) AS count FROM theirs").get()).toEqual({ count: 150 });
  after.close();
  await using opened = await open(directory.path);
  expect(await loadText(opened.writer.store)).toEqual({ count: "150" });
});

test("on a full disk commits go on in the room that is there, behind it the log is emptied, and nothing is lost", async (context) => {
  using disk = SmallDisk.mount(32, "ext4");
  if (disk === undefined) return context.skip("no file system can be mounted here: it takes root");
  {
    await using opened = await open(disk.path);
    await count(opened.writer, 1, 3);
    const { room, bytes } = logOf(disk.path);
    expect(room).toBeGreaterThan(LOG_ROOM_BYTES / 2);
    disk.fill();
    const fits = Math.floor(room / FRAME_BYTES);
    // Several times some more is looked for meanwhile, and there is none.
    await count(opened.writer, 4, 3 + fits);
    expect(statSync(log(disk.path)).size - bytes).toBeLessThan(LOG_ROOM_BYTES);
    const full = statSync(log(disk.path)).size;
    let last = 3 + fits;
    for (; statSync(log(disk.path)).size >= full; last += 1) await count(opened.writer, last, last);
    disk.makeRoom();
    await count(opened.writer, last, 1_100);
  }
  await using opened = await open(disk.path);
  expect(await loadText(opened.writer.store)).toEqual({ count: "1100" });
});

test("there is no room where a sync gains nothing by it, and where nobody waits for one", async (context) => {
  using directory = temporaryDirectory();
  {
    await using opened = await open(directory.path, { durability: "interval" });
    await count(opened.writer, 1, 50);
    expect(logOf(directory.path).room).toBeLessThan(FRAME_BYTES);
  }
  using disk = SmallDisk.mount(8);
  if (disk === undefined) return context.skip("no file system can be mounted here: it takes root");
  await using opened = await open(disk.path);
  expect(await growths(disk.path, opened.writer, 50)).toBe(50);
});
