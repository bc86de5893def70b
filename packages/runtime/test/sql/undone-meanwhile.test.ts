/** Where statements take a while: one whose transaction is undone before it has answered didn't succeed. */
import type { ExecuteResult } from "@troupe/protocol";
import { expect, test } from "vitest";
import type { ActorSql } from "../../src/ports/storage.ts";
import { WriteSlot } from "../../src/sql/write-slot.ts";
import { World } from "../driver/world.ts";

const DONE: ExecuteResult = { columns: [], rows: [], changes: 1, lastInsertRowId: 1n };

/** A database that answers when it is told to. */
class SlowSql implements ActorSql {
  readonly answers: (() => void)[] = [];

  execute(): Promise<ExecuteResult> {
    return this.#later(DONE);
  }

  batch(): Promise<readonly ExecuteResult[]> {
    return this.#later([DONE]);
  }

  series(): Promise<void> {
    return this.#later(undefined);
  }

  savepoint() {
    return { release: () => {}, rollback: () => {} };
  }

  answer(): void {
    for (const give of this.answers.splice(0)) give();
  }

  #later<T>(value: T): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.answers.push(() => resolve(value));
    return promise;
  }
}

function slotOver(sql: ActorSql): WriteSlot {
  return new WriteSlot({ env: new World(), sql, checkLive: () => {} });
}

test("a statement that answers behind its transaction's undoing fails with what has undone it, one inside another too", async () => {
  const sql = new SlowSql();
  const slot = slotOver(sql);
  const outer = await slot.begin(undefined, 5_000);
  const inner = await slot.begin(outer, 5_000);
  const statement = Promise.resolve(slot.execute(inner, "INSERT", []));
  const batch = Promise.resolve(slot.use(inner, (at) => at.batch([])));
  await slot.undo(outer);
  sql.answer();
  await expect(statement).rejects.toMatchObject({ group: "sql", code: "transaction_ended" });
  await expect(batch).rejects.toMatchObject({ group: "sql", code: "transaction_ended" });
});

test("one that answers behind its transaction's release has succeeded", async () => {
  const sql = new SlowSql();
  const slot = slotOver(sql);
  const transaction = await slot.begin(undefined, 5_000);
  const statement = Promise.resolve(slot.execute(transaction, "INSERT", []));
  await slot.release(transaction);
  sql.answer();
  expect(await statement).toEqual(DONE);
});
