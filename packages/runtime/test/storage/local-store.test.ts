/** The data directory as the world treats it: two processes, kill -9, damage, newer versions, disks that fail. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { TroupeError } from "@troupe/base";
import { expect, test } from "vitest";
import { loadText, Writer } from "../../../../conformance/storage/writer.ts";
import {
  type LocalStore,
  type LocalStoreOptions,
  openLocalStore,
} from "../../src/node/sqlite/open-local-store.ts";
import { openDatabase } from "../../src/node/sqlite/sqlite.ts";
import type { ActorRecord } from "../../src/ports/directory.ts";
import { watch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";
import { SmallDisk } from "./small-disk.ts";
import { temporaryDirectory, testEnv } from "./test-env.ts";

const address = (key: string) => ({ namespace: "default", name: "counter", key: [key] });

function open(dataDir: string, options: Partial<LocalStoreOptions> = {}): Promise<LocalStore> {
  const onFatal = (cause: unknown) => {
    throw cause;
  };
  return openLocalStore({ env: testEnv(), dataDir, onFatal, lockWaitMs: 100, ...options });
}

async function errorOf(promise: Promise<unknown>): Promise<TroupeError> {
  const outcome = await promise.then(
    () => "nothing was thrown",
    (error: unknown) => error,
  );
  if (!TroupeError.is(outcome)) throw outcome;
  return outcome;
}

async function wake(store: LocalStore, record: ActorRecord): Promise<Writer> {
  const { generation } = await store.directory.claim(record.id);
  return new Writer(await store.storage.open(record, generation));
}

async function createOne(store: LocalStore, key = "one"): Promise<Writer> {
  const { record, durable } = await store.directory.create(address(key));
  await durable;
  return wake(store, record);
}

/** A child process that is surely gone at the end of the scope. */
class Child implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly #lines: string[] = [];
  #rest = "";
  #arrived: (() => void) | undefined;

  constructor(dataDir: string, mode: string) {
    const script = new URL("./local-store-child.ts", import.meta.url).pathname;
    this.process = spawn(process.execPath, ["--conditions=troupe-source", script, dataDir, mode], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.process.stdout?.on("data", (data: Buffer) => {
      const lines = (this.#rest + data.toString()).split("\n");
      this.#rest = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#arrived?.();
    });
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  async printed(count: number): Promise<void> {
    while (this.#lines.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

test("a second process is refused and told who owns the directory, also while the owner is stopped", async () => {
  using directory = temporaryDirectory();
  await using owner = new Child(directory.path, "hold");
  await owner.printed(1);
  const refused = await errorOf(open(directory.path));
  expect(`${refused.group}.${refused.code}`).toBe("storage.locked");
  expect(refused.message).toContain(`process ${owner.process.pid} on `);
  owner.process.kill("SIGSTOP");
  expect((await errorOf(open(directory.path))).code).toBe("locked");
  owner.process.kill("SIGCONT");
  const waiting = open(directory.path, { lockWaitMs: 10_000 });
  await owner.kill();
  await (await waiting).close();
});

test("who waits for a data directory says for whom, before it gives up", async () => {
  using directory = temporaryDirectory();
  const first = await open(directory.path);
  const world = new World();
  const refused = watch(open(directory.path, { env: world, lockWaitMs: 10_000 }));
  await world.pass(900);
  expect(world.lines).toEqual([]);
  await world.pass(8_000);
  expect([refused.state, world.lines.length]).toEqual(["pending", 1]);
  expect(world.lines[0]?.fields["owner"]).toMatch(`process ${process.pid} on `);
  await world.pass(2_000);
  expect([refused.code, world.lines.length]).toEqual(["storage.locked", 1]);
  await first.close();
});

test("a second store in the same process is refused too, and may come when the first has closed", async () => {
  using directory = temporaryDirectory();
  const first = await open(directory.path);
  expect((await errorOf(open(directory.path))).code).toBe("locked");
  await first.close();
  await first.close();
  await (await open(directory.path)).close();
});

test.each(["commit", "interval"])("kill -9 loses nothing that was acknowledged (%s)", async (mode) => {
  using directory = temporaryDirectory();
  let acknowledged = 0;
  for (let kill = 0; kill < 3; kill += 1) {
    await using child = new Child(directory.path, mode === "commit" ? "write" : mode);
    await child.printed(20 + kill * 30);
    await child.kill();
    acknowledged = Number(child.lines.at(-1));
    const store = await open(directory.path);
    const record = await store.directory.find(address("one"));
    if (record === undefined) throw new Error("the actor is gone");
    const rows = await loadText((await wake(store, record)).store);
    expect(Number(rows["count"])).toBeGreaterThanOrEqual(acknowledged);
    expect(rows["twin"]).toBe(rows["count"]);
    await store.close();
  }
});

test("generations grow over restarts, and older ones can't open", async () => {
  using directory = temporaryDirectory();
  const first = await open(directory.path);
  const { record } = await first.directory.create(address("one"));
  const before = (await first.directory.claim(record.id)).generation;
  await first.close();
  const second = await open(directory.path);
  expect((await errorOf(second.storage.open(record, before))).code).toBe("fenced");
  expect((await second.directory.claim(record.id)).generation).toBeGreaterThan(before);
  await second.close();
});

test("after close everything answers storage.closed", async () => {
  using directory = temporaryDirectory();
  const store = await open(directory.path);
  const writer = await createOne(store);
  await store.close();
  expect((await errorOf(store.directory.find(address("one")))).code).toBe("closed");
  expect((await errorOf(store.storage.nextAlarm())).code).toBe("closed");
  expect(await writer.put({ x: "1" })).toMatchObject({
    durable: false,
    applied: "no",
    error: { code: "closed" },
  });
});

test.each([
  ["garbage", (path: string) => writeFileSync(path, "not a database ".repeat(1_000))],
  ["missing", (path: string) => rmSync(path)],
  ["emptied", (path: string) => truncateSync(path, 0)],
  ["cut", (path: string) => truncateSync(path, 5_000)],
])("a shard that is %s never stops the others", async (_what, damage) => {
  using directory = temporaryDirectory();
  const store = await open(directory.path, { shards: 3 });
  const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
  for (const key of keys) await (await createOne(store, key)).put({ key });
  await store.close();
  damage(join(directory.path, "shard-01.db"));

  const again = await open(directory.path);
  const codes = new Map<string, number>();
  for (const key of keys) {
    const outcome = await again.directory.find(address(key)).then(
      async (record) =>
        record === undefined ? "lost" : (await loadText((await wake(again, record)).store))["key"],
      (error: unknown) => (TroupeError.is(error) ? error.code : String(error)),
    );
    const kind = outcome === key ? "fine" : String(outcome);
    codes.set(kind, (codes.get(kind) ?? 0) + 1);
  }
  expect([...codes.keys()].sort()).toEqual(["corrupt", "fine"]);
  expect((await again.directory.list({ namespace: "default", limit: 1_000 })).actors).toHaveLength(
    codes.get("fine") ?? 0,
  );
  await again.close();
});

test("a shard whose index of alarms is damaged keeps no other shard's alarms from ringing", async () => {
  using directory = temporaryDirectory();
  const store = await open(directory.path, { shards: 2 });
  for (let index = 0; index < 10; index += 1) {
    await (await createOne(store, `k${index}`)).put({ x: "1" }, 1_000 + index);
  }
  expect(await store.storage.dueAlarms(2_000, 100)).toHaveLength(10);
  await store.close();
  const path = join(directory.path, "shard-00.db");
  const database = openDatabase(path);
  const index = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'actors_by_alarm'").get();
  database.close();
  const fd = openSync(path, "r+");
  writeSync(fd, Buffer.alloc(2_048, 0xaa), 0, 2_048, (Number(index?.["rootpage"]) - 1) * 2_048);
  closeSync(fd);
  const again = await open(directory.path);
  expect(again.failure()).toBeUndefined();
  const next = await again.storage.nextAlarm();
  expect(next?.actorId).toMatch(/^01/);
  const due = await again.storage.dueAlarms(2_000, 100);
  expect(due.length).toBeGreaterThan(0);
  expect(due.every(({ actorId }) => actorId.startsWith("01"))).toBe(true);
  expect(again.failure()).toBe("storage.corrupt");
  await again.close();
});

test("a row whose bytes changed on the disk is refused, and its actor alone", async () => {
  using directory = temporaryDirectory();
  const store = await open(directory.path);
  await (await createOne(store, "torn")).put({ x: "right" });
  await (await createOne(store, "whole")).put({ x: "right" });
  await store.close();
  const database = openDatabase(join(directory.path, "shard-00.db"));
  database.exec("UPDATE rows SET value = CAST('wrong' AS BLOB) WHERE actor = 1");
  database.close();
  const again = await open(directory.path);
  const [torn, whole] = await Promise.all(["torn", "whole"].map((key) => again.directory.find(address(key))));
  if (torn === undefined || whole === undefined) throw new Error("an actor is gone");
  expect((await errorOf((await wake(again, torn)).store.load())).code).toBe("corrupt");
  expect(await loadText((await wake(again, whole)).store)).toEqual({ x: "right" });
  await again.close();
});

test("a newer layout is refused: of the directory, and of a shard", async () => {
  using directory = temporaryDirectory();
  await (await open(directory.path)).close();
  const manifest = join(directory.path, "manifest.json");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace('"layout":1', '"layout":2'));
  expect((await errorOf(open(directory.path))).code).toBe("newer_layout");
  writeFileSync(manifest, text);
  const database = openDatabase(join(directory.path, "shard-00.db"));
  database.exec("PRAGMA user_version = 2");
  database.close();
  expect((await errorOf(open(directory.path))).code).toBe("newer_layout");
});

test("a damaged manifest, and a missing one beside data, stop the start and name the file", async () => {
  using directory = temporaryDirectory();
  const store = await open(directory.path);
  await createOne(store);
  await store.close();
  const manifest = join(directory.path, "manifest.json");
  for (const text of ["", "{", "[]", '{"layout":1,"shards":0,"epoch":1}', '{"layout":"1"}']) {
    writeFileSync(manifest, text);
    const error = await errorOf(open(directory.path));
    expect(error.code).toBe("corrupt");
    expect(error.message).toContain(manifest);
  }
  rmSync(manifest);
  expect((await errorOf(open(directory.path))).code).toBe("corrupt");
});

test("a directory that can't be written to is a typed error", async () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, "file");
  writeFileSync(file, "");
  for (const path of [file, join(file, "data"), join(file, "data", "deeper")]) {
    const error = await errorOf(open(path));
    expect([error.code, error.message.includes(path)]).toEqual(["not_a_directory", true]);
  }
  expect((await errorOf(open("/proc/troupe"))).code).toMatch(/read_only|open_failed/);
});

test("a first start on a full disk says so, and is one when there is room", async (context) => {
  using disk = SmallDisk.mount(8);
  if (disk === undefined) return context.skip("no file system can be mounted here: it takes root");
  disk.fill();
  for (const start of [1, 2])
    expect([start, (await errorOf(open(disk.path))).code]).toEqual([start, "disk_full"]);
  disk.makeRoom();
  const store = await open(disk.path);
  await createOne(store);
  await store.close();
});

test("a start on a full disk behind a kill -9 needs no room, and everything is there", async (context) => {
  using disk = SmallDisk.mount(8);
  if (disk === undefined) return context.skip("no file system can be mounted here: it takes root");
  await using child = new Child(disk.path, "write");
  await child.printed(20);
  await child.kill();
  disk.fill();
  const store = await open(disk.path);
  const record = await store.directory.find(address("one"));
  if (record === undefined) throw new Error("the actor is gone");
  const rows = await loadText((await wake(store, record)).store);
  expect(Number(rows["count"])).toBeGreaterThanOrEqual(Number(child.lines.at(-1)));
  await store.close();
});

test("a log that is deleted or replaced under the process breaks the file, once", async () => {
  for (const vandalise of [rmSync, (path: string) => renameSync(path, `${path}.old`)]) {
    using directory = temporaryDirectory();
    const fatal: unknown[] = [];
    const store = await open(directory.path, { onFatal: (cause) => void fatal.push(cause) });
    const writer = await createOne(store);
    vandalise(join(directory.path, "shard-00.db-wal"));
    expect(await writer.put({ x: "1" })).toMatchObject({ durable: false, applied: "unknown" });
    expect(await writer.put({ x: "2" })).toMatchObject({ durable: false, applied: "no" });
    expect(fatal).toHaveLength(1);
    await store.close();
  }
});

test("a clean close leaves no log behind, and a killed first start can start again", async () => {
  using directory = temporaryDirectory();
  await (await open(directory.path)).close();
  expect(readdirSync(directory.path).filter((name) => /-wal|-shm|\.new/.test(name))).toEqual([]);
  rmSync(join(directory.path, "manifest.json"));
  const store = await open(directory.path);
  expect(await (await createOne(store)).put({ x: "1" })).toEqual({ durable: true });
  await store.close();
});

test("a destroy that was cut short is finished by the next start", async () => {
  using directory = temporaryDirectory();
  const store = await open(directory.path);
  const writer = await createOne(store);
  await writer.put(Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`row${index}`, "x"])));
  await store.close();
  const path = join(directory.path, "shard-00.db");
  const before = openDatabase(path);
  before.exec("UPDATE actors SET destroyed_at = 1");
  before.close();
  const again = await open(directory.path);
  await createOne(again, "meanwhile");
  await expect
    .poll(async () => {
      const found = openDatabase(path);
      const left = found
        .prepare("SELECT (SELECT count(*) FROM rows) + (SELECT count(*) FROM actors) AS n")
        .get();
      found.close();
      return left?.["n"];
    })
    .toBe(1);
  await again.close();
});
