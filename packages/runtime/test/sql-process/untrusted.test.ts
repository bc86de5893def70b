/**
 * The SQL of actors whose code isn't trusted, in helper processes: what doesn't end is ended, and what was acknowledged
 * stays, whenever the process goes.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { carriedActor } from "../../src/actor/carried/definition.ts";
import { untrusted } from "../driver/carried.ts";
import { Ground } from "../sql/ground.ts";
import { helperProcesses, runs } from "./helper-processes.ts";

/** Long for what takes milliseconds, short for who waits for it. */
const LIMIT_MS = 3_000;
const ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";

const ledger = actor({
  state: { n: 0 },
  db: db({
    onMigrate: async (db) => {
      await db.execute("CREATE TABLE IF NOT EXISTS entries (text TEXT)");
    },
  }),
  actions: {
    /** All of it in one batch. */
    add: (c, text: string) =>
      c.db.transaction(async (tx) => {
        await tx.execute("INSERT INTO entries VALUES (?)", text);
        c.state.n += 1;
        await c.kv.put(`k:${text}`, text);
      }),
    all: async (c) => {
      const found = await c.db.execute<{ text: string }>("SELECT text FROM entries ORDER BY rowid");
      return { n: c.state.n, texts: found.map(({ text }) => text) };
    },
    key: (c, text: string) => c.kv.get(`k:${text}`),
    /** Reads without an end. */
    look: async (c) => await failureOf(c.db.execute(`${ENDLESS} SELECT max(i) FROM n`)),
    /** Writes, and reads without an end in a batch that is still open. */
    writeAndLook: async (c) => {
      // One after the other, without a wait: a batch that is taken meanwhile comes behind both.
      const added = c.db.execute("INSERT INTO entries VALUES ('lost')");
      const looked = failureOf(c.db.execute(`${ENDLESS} SELECT max(i) FROM n`));
      c.state.n += 100;
      await c.kv.put("k:lost", "lost");
      await added;
      return await looked;
    },
    inTransaction: (c) =>
      failureOf(
        c.db.transaction(async (tx) => {
          await tx.execute("INSERT INTO entries VALUES ('lost')");
          await tx.execute(`${ENDLESS} INSERT INTO entries SELECT 'endless' FROM n WHERE i < 0`);
        }),
      ),
    swell: (c) => failureOf(c.db.execute(`${ENDLESS} INSERT INTO entries SELECT zeroblob(20000000) FROM n`)),
  },
});

const neighbour = actor({ state: { n: 0 }, actions: { add: (c) => (c.state.n += 1) } });

/** `group.code` and what it says of what was stored. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error && "group" in error && "code" in error && "metadata" in error)) throw error;
    return { is: `${String(error.group)}.${String(error.code)}`, metadata: error.metadata };
  }
}

const timedOut = { is: "sql.timed_out", metadata: { timeoutMs: LIMIT_MS, applied: "no" } };

function start(options?: Parameters<typeof Ground.start>[1]) {
  return Ground.start({ ...untrusted({ ledger }, LIMIT_MS), neighbour }, options);
}

/** A helper starts in tenths of a second, of processor time; several do in one story. */
const PATIENT = { timeout: 120_000 };

test(
  "what doesn't end is ended, at its deadline and by name; neighbours are answered, and nothing that was stored is lost",
  PATIENT,
  async () => {
    await using ground = await start();
    const at = (key: string) => ground.client.ledger.getOrCreate([key]);
    for (const key of ["look", "open", "transaction"]) await at(key).add("before");
    let answered = 0;
    const asked = { over: false };
    const look = at("look").look();
    const open = failureOf(at("open").writeAndLook());
    const transaction = failureOf(at("transaction").inTransaction());
    const asking = (async () => {
      while (!asked.over) {
        answered = await ground.client.neighbour.getOrCreate(["a"]).add();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    // A read takes nothing with it: its code goes on, in the same activation.
    expect(await look).toEqual(timedOut);
    // While a helper is held up nobody else is: the neighbour has had one answer after the other.
    expect(answered).toBeGreaterThan(20);
    // What is gone with its batch can't be told: its caller hears of the batch's end.
    expect(await open).toMatchObject(timedOut);
    expect(await transaction).toMatchObject(timedOut);
    asked.over = true;
    await asking;
    for (const key of ["look", "open", "transaction"]) {
      expect(await at(key).all()).toEqual({ n: 1, texts: ["before"] });
      expect(await at(key).key("lost")).toBeNull();
      await at(key).add("after");
      expect(await at(key).all()).toEqual({ n: 2, texts: ["before", "after"] });
    }
  },
);

test(
  "one that takes too much memory is ended as well; a runtime that stops waits for no statement",
  PATIENT,
  async () => {
    await using ground = await Ground.start(untrusted({ ledger }, 60_000));
    const swelling = ground.client.ledger.getOrCreate(["swelling"]);
    await swelling.add("before");
    expect(await failureOf(swelling.swell())).toEqual({
      is: "sql.memory_exceeded",
      metadata: { limit: 512, applied: "no" },
    });
    expect(await swelling.all()).toEqual({ n: 1, texts: ["before"] });
    const looking = failureOf(swelling.look());
    looking.catch(() => {});
    await ground.restart();
    expect(helperProcesses()).toEqual([]);
    expect(await ground.client.ledger.getOrCreate(["swelling"]).all()).toEqual({ n: 1, texts: ["before"] });
  },
);

test(
  "helpers that are killed while they store: what was acknowledged is there, and each batch whole or not at all",
  PATIENT,
  async () => {
    await using ground = await start();
    const actor = ground.client.ledger.getOrCreate(["a"]);
    const acknowledged: string[] = [];
    const tried: string[] = [];
    let kills = 0;
    for (let round = 0; round < 4; round += 1) {
      const before = await actor.all();
      expect(before.texts).toEqual(expect.arrayContaining(acknowledged));
      // Each round later: before the statement, in it, in the commit, behind it.
      const calls = Array.from({ length: 4 }, async (_none, index) => {
        const text = `${round}.${index}`;
        tried.push(text);
        await actor.add(text);
        acknowledged.push(text);
      });
      const settled = Promise.allSettled(calls);
      for (let turns = 0; turns < round * 4; turns += 1)
        await new Promise((resolve) => setImmediate(resolve));
      for (const pid of helperProcesses()) {
        process.kill(pid, "SIGKILL");
        kills += 1;
      }
      await settled;
      const { n, texts } = await actor.all();
      expect(texts).toEqual(expect.arrayContaining(acknowledged));
      expect(tried).toEqual(expect.arrayContaining(texts));
      // State, keys and tables are of one batch.
      expect(n).toBe(texts.length);
      for (const text of tried.slice(-4)) expect((await actor.key(text)) === text).toBe(texts.includes(text));
    }
    expect(kills).toBeGreaterThanOrEqual(4);
    expect(acknowledged.length).toBeLessThan(tried.length);
  },
);

test(
  "there are as many helpers as there may be: who finds none waits for one that rests",
  PATIENT,
  async () => {
    await using ground = await start({ sqlHelpers: 1 });
    const at = (key: string) => ground.client.ledger.getOrCreate([key]);
    const keys = ["a", "b", "c"];
    await Promise.all(keys.map((key) => at(key).add(key)));
    expect(helperProcesses()).toHaveLength(1);
    for (const key of keys) expect(await at(key).all()).toEqual({ n: 1, texts: [key] });
    expect(helperProcesses()).toHaveLength(1);
  },
);

test(
  "a helper ends with its runtime, also while a statement runs and the runtime is killed",
  PATIENT,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "troupe-helper-"));
    const child = spawn(
      process.execPath,
      ["--conditions=troupe-source", join(import.meta.dirname, "helper-child.ts"), directory],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    try {
      const [said] = await once(child.stdout, "data");
      const helper = Number(String(said));
      expect(runs(helper)).toBe(true);
      child.kill("SIGKILL");
      await expect.poll(() => runs(helper), { timeout: 15_000 }).toBe(false);
    } finally {
      child.kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

test(
  "a file that is taken away is missing for who opens it in a helper, too, and is the actor's again when it is back",
  PATIENT,
  async () => {
    await using ground = await start();
    const client = ground.client.ledger.getOrCreate(["a"]);
    await client.add("one");
    const id = await client.resolve();
    const file = () => join(ground.path, "actors", `${id}.db`);
    await ground.restartAfter(() => renameSync(file(), `${file()}.away`));
    const found = ground.client.ledger.getOrCreate(["a"]);
    await expect(found.all()).rejects.toMatchObject({ group: "storage", code: "corrupt" });
    expect(ground.store.failure()).toBe("storage.corrupt");
    renameSync(`${file()}.away`, file());
    expect([await found.resolve(), await found.all()]).toEqual([id, { n: 1, texts: ["one"] }]);
    expect(ground.files.filter((name) => name.endsWith(".db"))).toEqual([`${id}.db`]);
  },
);

test("who may only read, as the inspector, writes nothing", PATIENT, async () => {
  await using ground = await start();
  const actor = ground.client.ledger.getOrCreate(["a"]);
  await actor.add("before");
  const record = await ground.store.directory.get(await actor.resolve());
  if (record === undefined) throw new Error("it is there");
  await ground.runtime.stop();
  const { generation } = await ground.store.directory.claim(record.id);
  const needs = { database: true, statementMs: LIMIT_MS };
  const store = await ground.store.storage.open(record, generation, needs);
  await store.load();
  const sql = store.sql?.(() => {
    throw new Error("it may only read");
  });
  const run = async (text: string) => (await sql?.execute(text, []))?.rows;
  await expect(run("INSERT INTO entries VALUES ('written')")).rejects.toThrow("only read");
  await expect(run("SELECT 1; DELETE FROM entries")).rejects.toThrow("only read");
  expect(await run("SELECT text FROM entries")).toEqual([["before"]]);
  await store.close();
});

test("a time that is none is refused when the actor is defined", () => {
  const never = () => Promise.reject(new Error("never"));
  for (const sqlTimeLimitMs of [0, 1.5, 60_001, Number.NaN])
    expect(() => carriedActor(never, { sqlTimeLimitMs })).toThrow(/sqlTimeLimitMs/);
  expect(() => carriedActor(never, { sqlTimeLimitMs: 60_000 })).not.toThrow();
});
