/** A transaction of SQL that is open keeps its batch; a newer activation isn't kept waiting by it. */
import { expect, test } from "vitest";
import { openLocalStore } from "../../src/node/sqlite/open-local-store.ts";
import type { ActorSql, ActorStore, Batch, BatchSource, CommitOutcome } from "../../src/ports/storage.ts";
import { codeOf, rejection } from "../driver/watch.ts";
import { temporaryDirectory, testEnv } from "./test-env.ts";

/** An activation: writes rows and SQL, and hears what became of its batches. */
class Writer implements BatchSource {
  readonly outcomes: string[] = [];
  readonly sql: ActorSql;
  readonly store: ActorStore;

  constructor(store: ActorStore) {
    this.store = store;
    const sql = store.sql?.(() => store.commit(this));
    if (sql === undefined) throw new Error("it has a database");
    this.sql = sql;
  }

  take(): Batch {
    return { rows: [{ key: "row", value: Uint8Array.of(this.outcomes.length) }] };
  }

  settled(outcome: CommitOutcome): void {
    this.outcomes.push(outcome.durable ? "durable" : codeOf(outcome.error));
  }

  async texts(): Promise<unknown[]> {
    const { rows } = await this.sql.execute("SELECT text FROM t ORDER BY text", []);
    return rows.flat();
  }

  run(sql: string): void {
    void this.sql.execute(sql, []);
  }
}

async function opened() {
  const directory = temporaryDirectory();
  const store = await openLocalStore({ env: testEnv(), dataDir: directory.path, onFatal: () => {} });
  const address = { namespace: "default", name: "a", key: [] };
  const { record, durable } = await store.directory.create(address, { database: true });
  await durable;
  const wake = async (): Promise<Writer> => {
    const { generation } = await store.directory.claim(record.id);
    return new Writer(await store.storage.open(record, generation, { database: true }));
  };
  const close = async (): Promise<void> => {
    await store.close();
    directory[Symbol.dispose]();
  };
  return { wake, [Symbol.asyncDispose]: close };
}

test("no batch is taken while a transaction is open, however many turns that is; then it is one", async () => {
  await using world = await opened();
  const writer = await world.wake();
  await writer.store.load();
  writer.run("CREATE TABLE t (text TEXT)");
  await expect.poll(() => writer.outcomes).toEqual(["durable"]);
  const outer = await writer.sql.savepoint(1_000);
  writer.run("INSERT INTO t VALUES ('outer')");
  const inner = await writer.sql.savepoint(1_000);
  writer.run("INSERT INTO t VALUES ('inner')");
  writer.store.commit(writer);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
  await inner.rollback();
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
  expect(writer.outcomes).toEqual(["durable"]);
  await outer.release();
  await expect.poll(() => writer.outcomes).toEqual(["durable", "durable"]);
  expect(await writer.texts()).toEqual(["outer"]);
  await writer.store.close();
});

test("a newer activation begins at once: what the older one has open is undone, and it ends as one that is fenced", async () => {
  await using world = await opened();
  const older = await world.wake();
  await older.store.load();
  older.run("CREATE TABLE t (text TEXT); INSERT INTO t VALUES ('stored')");
  await expect.poll(() => older.outcomes).toEqual(["durable"]);
  const open = await older.sql.savepoint(1_000);
  older.run("INSERT INTO t VALUES ('open')");
  const newer = await world.wake();
  expect((await newer.store.load()).map(({ key }) => key)).toEqual(["row"]);
  expect(older.outcomes).toEqual(["durable", "storage.fenced"]);
  expect(await newer.texts()).toEqual(["stored"]);
  newer.run("INSERT INTO t VALUES ('newer')");
  const own = await newer.sql.savepoint(1_000);
  // Whatever the older one still does touches nothing of the newer one's.
  expect(await rejection(Promise.resolve().then(() => open.release()))).toBe("sql.transaction_ended");
  await open.rollback();
  newer.run("INSERT INTO t VALUES ('own')");
  await own.release();
  await expect.poll(() => newer.outcomes).toEqual(["durable"]);
  expect(await newer.texts()).toEqual(["newer", "own", "stored"]);
  await Promise.all([older.store.close(), newer.store.close()]);
});

test("a store that closes with a transaction open undoes it, and its batch fails", async () => {
  await using world = await opened();
  const writer = await world.wake();
  await writer.store.load();
  writer.run("CREATE TABLE t (text TEXT)");
  await expect.poll(() => writer.outcomes).toEqual(["durable"]);
  await writer.sql.savepoint(1_000);
  writer.run("INSERT INTO t VALUES ('open')");
  await writer.store.close();
  expect(writer.outcomes).toEqual(["durable", "storage.closed"]);
  const next = await world.wake();
  await next.store.load();
  expect(await next.texts()).toEqual([]);
  await next.store.close();
});
