/** Somebody moves, deletes or cuts the files of a living process: nothing is acknowledged that no start would find. */
import { spawn } from "node:child_process";
import { copyFileSync, renameSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadText, Writer } from "../../../../conformance/storage/writer.ts";
import { command } from "../../../../tools/command.ts";
import { Checkpoints } from "../../src/node/sqlite/checkpoints.ts";
import {
  type LocalStore,
  type LocalStoreOptions,
  openLocalStore,
} from "../../src/node/sqlite/open-local-store.ts";
import { temporaryDirectory, testEnv } from "./test-env.ts";

const ADDRESS = { namespace: "default", name: "counter", key: ["one"] };
const FATAL_EXIT = 70;

interface Opened extends AsyncDisposable {
  readonly store: LocalStore;
  readonly writer: Writer;
  readonly fatal: readonly unknown[];
}

async function open(dataDir: string, options: Partial<LocalStoreOptions> = {}): Promise<Opened> {
  const fatal: unknown[] = [];
  const onFatal = (cause: unknown) => void fatal.push(cause);
  const store = await openLocalStore({ env: testEnv(), dataDir, onFatal, lockWaitMs: 100, ...options });
  const { directory } = store;
  const record = (await directory.find(ADDRESS)) ?? (await directory.create(ADDRESS)).record;
  const writer = new Writer(await store.storage.open(record, (await directory.claim(record.id)).generation));
  await writer.store.load();
  return { store, writer, fatal, [Symbol.asyncDispose]: () => store.close() };
}

/** A process that commits a counter for ever and says each number once it is durable. */
class Child implements AsyncDisposable {
  readonly exit: Promise<number | null>;
  readonly #process;
  readonly #lines: string[] = [];
  #rest = "";
  #arrived = () => {};

  constructor(dataDir: string) {
    const script = new URL("./local-store-child.ts", import.meta.url).pathname;
    this.#process = spawn(process.execPath, ["--conditions=troupe-source", script, dataDir, "write"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.exit = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.stdout.on("data", (data: Buffer) => {
      const lines = (this.#rest + data.toString()).split("\n");
      this.#rest = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#arrived();
    });
  }

  /** The number that it acknowledged last. */
  get acknowledged(): number {
    return Number(this.#lines.at(-1));
  }

  async printsMore(count: number): Promise<void> {
    const enough = this.#lines.length + count;
    while (this.#lines.length < enough) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exit;
  }
}

const database = (dataDir: string) => join(dataDir, "shard-00.db");
const log = (dataDir: string) => join(dataDir, "shard-00.db-wal");
const lock = (dataDir: string) => join(dataDir, "lock.db");

function replaceByCopy(path: string): void {
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
}

/** What is done, and whether it is noticed before anything is written or at the sync. */
const VANDALISM: readonly [what: string, applied: "no" | "unknown", act: (dataDir: string) => void][] = [
  ["the log is moved", "unknown", (dir) => renameSync(log(dir), join(dir, "gone"))],
  ["the log is deleted", "unknown", (dir) => rmSync(log(dir))],
  ["the log is replaced by a copy", "unknown", (dir) => replaceByCopy(log(dir))],
  ["the log is emptied", "no", (dir) => truncateSync(log(dir), 0)],
  ["the log loses its last byte", "no", (dir) => truncateSync(log(dir), statSync(log(dir)).size - 1)],
  ["the database is moved", "unknown", (dir) => renameSync(database(dir), join(dir, "gone"))],
  ["the database is deleted", "unknown", (dir) => rmSync(database(dir))],
  ["the database is replaced by a copy", "unknown", (dir) => replaceByCopy(database(dir))],
  ["the lock is deleted", "no", (dir) => rmSync(lock(dir))],
  ["the lock is replaced by a copy", "no", (dir) => replaceByCopy(lock(dir))],
  ["the data directory is moved", "no", (dir) => renameSync(dir, `${dir}.gone`)],
];

test.each(VANDALISM)(
  "%s: the next batch is not acknowledged, and none after it",
  async (_what, applied, act) => {
    using parent = temporaryDirectory();
    const dataDir = join(parent.path, "data");
    await using opened = await open(dataDir);
    expect(await opened.writer.put({ x: "1" })).toEqual({ durable: true });
    act(dataDir);
    expect(await opened.writer.put({ x: "2" })).toMatchObject({ durable: false, applied });
    await expect.poll(() => opened.fatal).toHaveLength(1);
    expect(await opened.writer.put({ x: "3" })).toMatchObject({ durable: false, applied: "no" });
    expect(opened.fatal).toHaveLength(1);
    expect(opened.store.failure()).toBe("storage.disk_failed");
  },
);

const IN_BACKGROUND = ["the log is moved", "the database is deleted", "the lock is deleted"];

test.each(VANDALISM.filter(([what]) => IN_BACKGROUND.includes(what)))(
  "interval: %s: noticed at the next background sync at the latest",
  async (_what, _applied, act) => {
    using parent = temporaryDirectory();
    const dataDir = join(parent.path, "data");
    await using opened = await open(dataDir, { durability: "interval" });
    expect(await opened.writer.put({ x: "1" })).toEqual({ durable: true });
    act(dataDir);
    await opened.writer.put({ x: "2" });
    await expect.poll(() => opened.fatal, { timeout: 30_000 }).toHaveLength(1);
    expect(await opened.writer.put({ x: "3" })).toMatchObject({ durable: false, applied: "no" });
  },
);

test("files that stay are never complained about, over checkpoints that let the log start over", async () => {
  using directory = temporaryDirectory();
  await using opened = await open(directory.path, { checkpointBytes: 32 * 1024 });
  let written = 0;
  for (let count = 0; count < 900; count += 1) {
    const text = `${count}`.repeat(1_000);
    written += text.length;
    expect(await opened.writer.put({ text })).toEqual({ durable: true });
  }
  expect(statSync(log(directory.path)).size).toBeLessThan(written);
  expect(opened.store.failure()).toBeUndefined();
  expect(opened.fatal).toEqual([]);
});

test("a checkpoint after which the files are found displaced leaves no state behind that nothing ends", async () => {
  let displaced = true;
  let passes = 0;
  const checkpoints = new Checkpoints({
    env: testEnv(),
    pass: async () => {
      passes += 1;
      return { frames: 1, checkpointed: 1 };
    },
    passed: () => {
      if (displaced) throw new Error("displaced");
    },
    limitBytes: 1_000,
    idleMs: 1,
  });
  await expect(checkpoints.catchUp()).resolves.toBeUndefined();
  checkpoints.wrote(10);
  await expect.poll(() => passes).toBeGreaterThanOrEqual(3);
  displaced = false;
  const before = passes;
  checkpoints.wrote(1_000_000);
  await expect.poll(() => passes).toBeGreaterThan(before);
  displaced = true;
  const catchingUp = checkpoints.catchUp();
  await expect(checkpoints.stop()).resolves.toBeUndefined();
  await catchingUp;
  const after = passes;
  checkpoints.wrote(1_000_000);
  expect(passes).toBe(after);
  expect(checkpoints.behind).toBe(false);
});

test("a log that is emptied under load ends the process, and the database stays whole", async () => {
  for (let round = 0; round < 2; round += 1) {
    using directory = temporaryDirectory();
    await (await open(directory.path)).store.close();
    await using child = new Child(directory.path);
    await child.printsMore(20 + 37 * round);
    truncateSync(log(directory.path), 0);
    expect(await child.exit).toBe(FATAL_EXIT);
    await using opened = await open(directory.path);
    expect(await opened.writer.put({ x: "1" })).toEqual({ durable: true });
  }
});

test("a log that is moved under load: what was acknowledged is in the file that was moved", async () => {
  using directory = temporaryDirectory();
  await using child = new Child(directory.path);
  await child.printsMore(50);
  renameSync(log(directory.path), join(directory.path, "moved"));
  expect(await child.exit).toBe(FATAL_EXIT);
  rmSync(log(directory.path), { force: true });
  renameSync(join(directory.path, "moved"), log(directory.path));
  await using opened = await open(directory.path);
  const rows = await loadText(opened.writer.store);
  expect(Number(rows["count"])).toBeGreaterThanOrEqual(child.acknowledged);
});

test.each(["commit", "interval"] as const)(
  "after the lock was deleted the second process has the directory, the first writes nothing more (%s)",
  async (durability) => {
    using directory = temporaryDirectory();
    await using first = await open(directory.path, { durability });
    expect(await first.writer.put({ count: "0" })).toEqual({ durable: true });
    rmSync(lock(directory.path));
    await using second = new Child(directory.path);
    await second.printsMore(20);
    expect(await first.writer.put({ count: "first" })).toMatchObject({ durable: false, applied: "no" });
    await expect.poll(() => first.fatal).toHaveLength(1);
    expect(await first.writer.put({ count: "first" })).toMatchObject({ durable: false, applied: "no" });
    await first.store.close();
    await second.printsMore(20);
    await second[Symbol.asyncDispose]();
    await using third = await open(directory.path);
    const rows = await loadText(third.writer.store);
    expect(Number(rows["count"])).toBeGreaterThanOrEqual(second.acknowledged);
  },
);

test("a process under load ends when its lock is deleted, and the next one finds all it acknowledged", async () => {
  using directory = temporaryDirectory();
  await using first = new Child(directory.path);
  await first.printsMore(30);
  rmSync(lock(directory.path));
  await using second = await open(directory.path, { lockWaitMs: 5_000 });
  const found = Number((await loadText(second.writer.store))["count"]);
  expect(await first.exit).toBe(FATAL_EXIT);
  expect(found).toBeGreaterThanOrEqual(first.acknowledged);
  expect(await second.writer.put({ count: "1" })).toEqual({ durable: true });
});

test("a lock that is replaced while somebody waits for it is not the one that is taken", async () => {
  using directory = temporaryDirectory();
  const first = await open(directory.path);
  const waiting = open(directory.path, { lockWaitMs: 5_000 });
  rmSync(lock(directory.path));
  const second = await waiting;
  await first.store.close();
  await expect(open(directory.path)).rejects.toMatchObject({ code: "locked" });
  expect(await second.writer.put({ x: "1" })).toEqual({ durable: true });
  await second.store.close();
});

test("a Node without node:sqlite is told what is missing and what it needs", async () => {
  using directory = temporaryDirectory();
  const source = new URL("../../src/node/sqlite/open-local-store.ts", import.meta.url).href;
  const program = `
    const { openLocalStore } = await import("${source}");
    const options = { env: {}, dataDir: process.argv[1], onFatal: () => {} };
    await openLocalStore(options).catch(({ code, message }) => console.log(code, message));`;
  const args = ["--conditions=troupe-source", "--no-experimental-sqlite", "--input-type=module"];
  const ran = await command(process.execPath, [...args, "--eval", program, directory.path], { cwd: "." });
  expect(ran.output).toMatch(/^unsupported_platform .*node:sqlite.*no such module.*Node 24/m);
});
