/** What the doctor finds in a data folder, without a trace; and what is saved of a damaged shard. */
import { createHash } from "node:crypto";
import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { backupFolder, examineData, salvageData, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import type { LocalStore } from "../../src/node/sqlite/open-local-store.ts";
import { openLocalStore } from "../../src/node/sqlite/open-local-store.ts";
import { temporaryDirectory, testEnv } from "../storage/test-env.ts";
import { use } from "./bank.ts";

const PAGE = 2_048;
const env = testEnv();
const fatal = (cause: unknown): void => {
  throw cause;
};

async function bank(data: string): Promise<void> {
  const registry = setup({ use });
  await registry.start({ port: 0, dataDir: data, signals: false, banner: false });
  const { account, purse } = await registry.client();
  for (const key of ["a", "b"]) {
    await account.getOrCreate(key).pay(5);
    await purse.getOrCreate(key).move(5);
  }
  await registry.stop();
}

/** Of every name, size and content, but for what holds no data: whoever reads a log puts its shared memory in order, and whoever locks a folder the journal of the lock. */
function digest(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (name.endsWith("-shm") || name === "lock.db-journal") continue;
    const path = join(folder, name);
    hash.update(`${name} ${statSync(path).size}\n`);
    if (statSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}

async function wrong(data: string) {
  const before = digest(data);
  const findings = await examineData(data);
  expect(digest(data)).toBe(before);
  return findings
    .filter(({ level }) => level !== "ok")
    .map(({ check, level, message }) => ({ check, level, message }));
}

const own = (data: string) =>
  readdirSync(join(data, "actors"))
    .filter((name) => /^[0-9a-f]{32}\.db$/.test(name))
    .sort();

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, "r+");
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

test("each thing that is wrong with data is found, and the folder stays as it is", async () => {
  using directory = temporaryDirectory();
  const data = join(directory.path, "data");
  await bank(data);
  expect(await wrong(data)).toEqual([]);

  const to = join(directory.path, "backup");
  await backupFolder({ env, dataDir: data, to });
  expect(await wrong(to)).toEqual([]);

  const [first = "", second = ""] = own(data);
  const file = readFileSync(join(data, "actors", first));
  rmSync(join(data, "actors", second));
  writeFileSync(join(data, "actors", `00${"f".repeat(30)}.db`), file);
  writeFileSync(join(data, "shard-01.db"), "");
  overwrite(join(data, "actors", first), file.indexOf("balance") + "balance".length, Uint8Array.of(0x77));
  const balance = readFileSync(join(data, "shard-00.db")).indexOf("right");
  overwrite(join(data, "shard-00.db"), balance + "right".length, Uint8Array.of(0x77));
  const found = await wrong(data);
  expect(found).toContainEqual({
    check: `actors/${first}`,
    level: "problem",
    message: expect.stringContaining("isn't what was written"),
  });
  expect(found).toContainEqual({
    check: "shard-01.db",
    level: "warning",
    message: expect.stringContaining("not this one"),
  });
  expect(found).toContainEqual({
    check: "shard-00.db",
    level: "problem",
    message: expect.stringContaining(`row "`),
  });
  expect(found).toContainEqual({
    check: "actors",
    level: "warning",
    message: expect.stringContaining("ffff.db"),
  });

  overwrite(join(to, "actors", own(to)[0] ?? ""), 5_000, Uint8Array.of(1, 2, 3));
  expect(await wrong(to)).toContainEqual({
    check: "backup",
    level: "problem",
    message: expect.stringContaining("digest"),
  });
  rmSync(join(data, "manifest.json"));
  expect(await wrong(data)).toEqual([
    { check: "manifest", level: "problem", message: expect.stringContaining("no manifest.json") },
  ]);
});

test("a folder that is in use is not read, and that of a killed process is, with its log", async () => {
  using directory = temporaryDirectory();
  const data = join(directory.path, "data");
  const store = await openLocalStore({ env, dataDir: data, onFatal: fatal });
  await fill(store, 3);
  const findings = await examineData(data);
  expect(findings.find(({ check }) => check === "lock")).toMatchObject({
    level: "warning",
    message: expect.stringContaining(`process ${process.pid}`),
  });
  // Nothing is written now, so this is what kill -9 would leave.
  const left = join(directory.path, "left");
  cpSync(data, left, { recursive: true });
  expect(statSync(join(left, "shard-00.db-wal")).size).toBeGreaterThan(0);
  expect(await wrong(left)).toEqual([]);
  const shard = (await examineData(left)).find(({ check }) => check === "shard-00.db");
  expect(shard).toMatchObject({ level: "ok", message: expect.stringContaining("3 actors") });
  await store.close();
});

async function fill(store: LocalStore, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { record } = await store.directory.getOrCreate({
        namespace: "default",
        name: "counter",
        key: [`key-${index}`],
      });
      const { generation } = await store.directory.claim(record.id);
      const rows = await store.storage.open(record, generation);
      await rows.load();
      const value = Buffer.alloc(200, `value of ${index}.`);
      await new Promise<void>((resolve, reject) =>
        rows.commit({
          take: () => ({
            rows: [
              { key: "created", value: Uint8Array.of(1) },
              { key: "s:n", value },
            ],
          }),
          settled: (outcome) => (outcome.durable ? resolve() : reject(outcome.error)),
        }),
      );
      await rows.close();
    }),
  );
}

async function read(store: LocalStore, index: number): Promise<unknown> {
  const record = await store.directory.find({ namespace: "default", name: "counter", key: [`key-${index}`] });
  if (record === undefined) return "unknown";
  const { generation } = await store.directory.claim(record.id);
  const rows = await store.storage.open(record, generation);
  try {
    const found = await rows.load();
    return Buffer.from(found.find(({ key }) => key === "s:n")?.value ?? [])
      .toString("utf8")
      .slice(0, 20);
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  } finally {
    await rows.close();
  }
}

test.each(["first", "last"] as const)(
  "of a damaged shard every actor is saved that can be read, and no other is passed off as whole (%s page)",
  async (which) => {
    using directory = temporaryDirectory();
    const [data, to] = [join(directory.path, "data"), join(directory.path, "saved")];
    const count = 2_000;
    {
      const store = await openLocalStore({ env, dataDir: data, onFatal: fatal });
      await fill(store, count);
      await store.close();
    }
    const shard = join(data, "shard-00.db");
    const bytes = readFileSync(shard);
    const pageOf = (text: string, at = bytes.indexOf(text)) => Math.floor(at / PAGE);
    const noise = Buffer.alloc(PAGE, 0xa5);
    // A page of the directory's table or of its index; and one of the rows.
    const key = `["key-1000"]`;
    overwrite(
      shard,
      pageOf(key, which === "first" ? bytes.indexOf(key) : bytes.lastIndexOf(key)) * PAGE,
      noise,
    );
    overwrite(shard, pageOf("value of 500.") * PAGE, noise);
    overwrite(shard, bytes.indexOf("value of 1500.") + 3, Buffer.from("U"));
    const findings = await examineData(data);
    expect(findings.filter(({ check, level }) => check === "shard-00.db" && level === "problem")).not.toEqual(
      [],
    );
    const before = digest(data);
    const salvaged = await salvageData({ env, dataDir: data, to });
    expect(digest(data)).toBe(before);
    const [saved] = salvaged.shards;
    if (saved === undefined) throw new Error("no shard was damaged");
    expect(saved.whole + saved.damaged.length).toBe(count);
    expect(saved.damaged.length).toBeGreaterThan(1);
    expect(saved.damaged.length).toBeLessThan(40);
    expect(JSON.parse(readFileSync(join(to, "salvage.json"), "utf8"))).toEqual(salvaged);
    const damaged = new Set(saved.damaged.map(({ key }) => key));
    expect(damaged).toContain(`["key-1500"]`);
    expect(damaged).toContain(`["key-500"]`);
    const store = await openLocalStore({ env, dataDir: to, onFatal: fatal });
    for (let index = 0; index < count; index += 1) {
      const expected = damaged.has(`["key-${index}"]`)
        ? "corrupt"
        : Buffer.alloc(20, `value of ${index}.`).toString("utf8");
      expect([index, await read(store, index)]).toEqual([index, expected]);
    }
    await store.close();
  },
);
