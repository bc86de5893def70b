/** A backup is made while callers write, and what is restored is whole: all that was told before, and nothing torn. */
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Registry, restoreFolder, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { temporaryDirectory, testEnv } from "../storage/test-env.ts";
import { use } from "./bank.ts";

type Bank = Registry<typeof use>;

class Serving implements AsyncDisposable {
  readonly registry: Bank;

  private constructor(registry: Bank) {
    this.registry = registry;
  }

  static async start(dataDir: string): Promise<Serving> {
    const registry = setup({ use });
    await registry.start({ port: 0, dataDir, signals: false, banner: false });
    return new Serving(registry);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.registry.stop();
  }
}

const keys = Array.from({ length: 6 }, (_, index) => `k${index}`);

/** What callers were told: how often each actor had been called. */
class Told {
  readonly counts = new Map<string, number>();
  #ended = false;

  /** Calls actors, one after the other, until it is ended. */
  async call(registry: Bank, seed: number): Promise<void> {
    const client = await registry.client();
    for (let turn = seed; !this.#ended && turn < seed + 50_000; turn += 1) {
      const key = keys[turn % keys.length] ?? "";
      const amount = (turn % 13) - 3;
      this.#heard(`account ${key}`, await client.account.getOrCreate(key).pay(amount));
      this.#heard(`purse ${key}`, await client.purse.getOrCreate(key).move(amount));
    }
  }

  end(): void {
    this.#ended = true;
  }

  #heard(name: string, count: number): void {
    this.counts.set(name, Math.max(count, this.counts.get(name) ?? 0));
  }
}

function env() {
  return testEnv();
}

test("a backup under load holds all that was told before it began, and no actor is torn", async () => {
  using directory = temporaryDirectory();
  const [data, to, again] = ["data", "backup", "again"].map((name) => join(directory.path, name)) as [
    string,
    string,
    string,
  ];
  const told = new Told();
  let before = new Map<string, number>();
  let during = 0;
  {
    await using serving = await Serving.start(data);
    const client = await serving.registry.client();
    for (const key of keys) {
      await client.account.getOrCreate(key).pay(5);
      await client.purse.getOrCreate(key).move(5);
    }
    // Asleep and with an alarm: its file alone knows it by then.
    await client.account.getOrCreate("asleep").pay(7);
    await client.account.getOrCreate("asleep").remind(3_600_000);
    const callers = [1, 2, 3, 4].map((seed) => told.call(serving.registry, seed));
    while ((told.counts.get("account k5") ?? 0) < 10)
      await new Promise<void>((resolve) => setImmediate(resolve));
    before = new Map(told.counts);
    const summary = await serving.registry.backup(to);
    during = sum(told.counts) - sum(before);
    told.end();
    await Promise.all(callers);
    expect(summary).toMatchObject({ path: to });
    expect(readdirSync(directory.path).sort()).toEqual(["backup", "data"]);
  }
  // Callers went on meanwhile.
  expect(during).toBeGreaterThan(0);
  await restoreFolder({ env: env(), from: to, dataDir: again });
  await using restored = await Serving.start(again);
  const client = await restored.registry.client();
  for (const key of keys) {
    const account = await client.account.getOrCreate(key).look();
    expect(account.entries).toEqual({ count: account.count, sum: account.balance });
    expect(account.count).toBeGreaterThanOrEqual(before.get(`account ${key}`) ?? 0);
    expect(account.count).toBeLessThanOrEqual(told.counts.get(`account ${key}`) ?? 0);
    const purse = await client.purse.getOrCreate(key).look();
    expect(purse.left + purse.right).toBe(0);
    expect(purse.count).toBeGreaterThanOrEqual(before.get(`purse ${key}`) ?? 0);
  }
  expect(await client.account.getOrCreate("asleep").look()).toMatchObject({
    balance: 7,
    entries: { count: 1 },
  });
});

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

test("who is destroyed while files are copied is gone in the backup, and others are not", async () => {
  using directory = temporaryDirectory();
  const [data, to, again] = ["data", "backup", "again"].map((name) => join(directory.path, name)) as [
    string,
    string,
    string,
  ];
  {
    await using serving = await Serving.start(data);
    const client = await serving.registry.client();
    for (const key of keys) await client.account.getOrCreate(key).pay(5);
    let destroyed: Promise<unknown> | undefined;
    await serving.registry.backup(to, {
      onProgress: ({ files }) => {
        // The shard is copied, and none of the files.
        if (files === 1)
          destroyed ??= Promise.all(["k1", "k2", "k3"].map((key) => client.account.getOrCreate(key).close()));
      },
    });
    await destroyed;
  }
  await restoreFolder({ env: env(), from: to, dataDir: again });
  await using restored = await Serving.start(again);
  const client = await restored.registry.client();
  for (const key of ["k0", "k4", "k5"])
    expect(await client.account.get(key).look()).toMatchObject({ balance: 5, entries: { count: 1, sum: 5 } });
  for (const key of ["k1", "k2", "k3"]) {
    const found = await client.account
      .get(key)
      .look()
      .catch((error: unknown) => error);
    // Copied before it was destroyed, and whole; or gone.
    expect(found).toSatisfy((one: object) =>
      "code" in one ? one.code === "not_found" : "count" in one && one.count === 1,
    );
  }
});

test("what can't be a backup is refused: a place that is there or in the data, memory, a second one, one that is ended", async () => {
  using directory = temporaryDirectory();
  const data = join(directory.path, "data");
  const to = join(directory.path, "backup");
  await using serving = await Serving.start(data);
  const { registry } = serving;
  await (await registry.client()).account.getOrCreate("a").pay(1);
  mkdirSync(to);
  await expect(registry.backup(to)).rejects.toMatchObject({ group: "backup", code: "target_exists" });
  await expect(registry.backup(join(data, "backup"))).rejects.toMatchObject({ code: "inside_data" });
  await expect(registry.backup(join(directory.path, "none", "b"))).rejects.toMatchObject({
    code: "no_parent",
  });
  const first = registry.backup(join(directory.path, "first"));
  await expect(registry.backup(join(directory.path, "second"))).rejects.toMatchObject({ code: "running" });
  await first;
  const ending = new AbortController();
  const ended = registry.backup(join(directory.path, "third"), {
    signal: ending.signal,
    onProgress: () => ending.abort(new Error("enough")),
  });
  await expect(ended).rejects.toThrow("enough");
  const thrown = registry.backup(join(directory.path, "fourth"), {
    onProgress: () => {
      throw new Error("of the caller");
    },
  });
  await expect(thrown).rejects.toThrow("of the caller");
  expect(readdirSync(directory.path).sort()).toEqual(["backup", "data", "first"]);
  const memory = setup({ use });
  await memory.start({ port: 0, durability: "memory", signals: false, banner: false });
  await expect(memory.backup(join(directory.path, "memory"))).rejects.toMatchObject({ code: "in_memory" });
  await memory.stop();
});

test("a byte that is another one is refused, and so is a folder that holds something or has an owner", async () => {
  using directory = temporaryDirectory();
  const data = join(directory.path, "data");
  const to = join(directory.path, "backup");
  const again = join(directory.path, "again");
  {
    await using serving = await Serving.start(data);
    await (await serving.registry.client()).account.getOrCreate("a").pay(1);
    await serving.registry.backup(to);
    await expect(restoreFolder({ env: env(), from: to, dataDir: data })).rejects.toMatchObject({
      group: "storage",
      code: "locked",
    });
  }
  await expect(restoreFolder({ env: env(), from: to, dataDir: data })).rejects.toMatchObject({
    group: "backup",
    code: "folder_in_use",
  });
  const own = readdirSync(join(to, "actors"))[0] ?? "";
  const path = join(to, "actors", own);
  const bytes = readFileSync(path);
  flip(path, bytes.length - 10);
  await expect(restoreFolder({ env: env(), from: to, dataDir: again })).rejects.toMatchObject({
    code: "wrong_digest",
    message: expect.stringContaining(own),
  });
  expect(existsSync(again)).toBe(false);
  writeFileSync(path, bytes);
  const list = join(to, "backup.json");
  const text = readFileSync(list, "utf8");
  writeFileSync(list, text.replace(/"format":1/, '"format":2'));
  await expect(restoreFolder({ env: env(), from: to, dataDir: again })).rejects.toMatchObject({
    code: "newer_format",
  });
  writeFileSync(list, text.replace(/"layout":\d+/, '"layout":99'));
  await expect(restoreFolder({ env: env(), from: to, dataDir: again })).rejects.toMatchObject({
    code: "newer_layout",
  });
  writeFileSync(list, text.replace(/actors\/[0-9a-f]+/, "../escaped"));
  await expect(restoreFolder({ env: env(), from: to, dataDir: again })).rejects.toMatchObject({
    code: "not_a_backup",
  });
  writeFileSync(list, text);
  expect(readdirSync(directory.path).sort()).toEqual(["backup", "data"]);
  mkdirSync(again);
  await restoreFolder({ env: env(), from: to, dataDir: again });
  expect(readdirSync(again).sort()).toEqual(
    expect.arrayContaining(["actors", "manifest.json", "shard-00.db"]),
  );
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  const fd = openSync(path, "r+");
  writeSync(fd, Uint8Array.of((bytes[at] ?? 0) ^ 1), 0, 1, at);
}
