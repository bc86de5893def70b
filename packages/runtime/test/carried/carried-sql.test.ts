/** The database of code that runs elsewhere: what it is held to, and what becomes of what it left open. */
import type { CarriedAsk } from "@troupe/protocol/actor/v1";
import { decodeExecuteResult, encodeBindParams, fromCarriedError } from "@troupe/protocol/actor/v1";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, watch } from "../driver/watch.ts";
import { type PlayedCarrier, played } from "./code.ts";

type About = NonNullable<CarriedAsk["about"]>;

/** Asks, and finds the answers: of what is on its way there is none. */
class Questions {
  readonly #carrier: PlayedCarrier;
  #last = 0;

  constructor(carrier: PlayedCarrier) {
    this.#carrier = carrier;
  }

  ask(about: About): number {
    this.#last += 1;
    this.#carrier.say({ $case: "ask", value: { ask: this.#last, about } });
    return this.#last;
  }

  execute(sql: string, transaction = 0): number {
    return this.ask({ $case: "sqlExecute", value: { sql, params: encodeBindParams([]), transaction } });
  }

  begin(transaction: number, { outer = 0, timeoutMs = 0 } = {}): number {
    return this.ask({ $case: "sqlBegin", value: { transaction, outer, timeoutMs } });
  }

  end(transaction: number, undo = false): number {
    return this.ask({ $case: "sqlEnd", value: { transaction, undo } });
  }

  /** Rows, or "group.code", or nothing yet. */
  answer(ask: number): unknown {
    for (const word of this.#carrier.words) {
      if (word.$case !== "answer" || word.value.ask !== ask) continue;
      const { error, sql } = word.value;
      if (error !== undefined) return codeOf(fromCarriedError(error, "cbor"));
      return sql.byteLength === 0 ? "done" : decodeExecuteResult(sql).rows.flat();
    }
    return undefined;
  }
}

async function awake() {
  const code = played("cbor", { database: true }, ["database"]);
  const driver = await Driver.start({ played: code.definition }, { databases: true });
  const start = async () => {
    const call = watch(driver.act("played", "act"));
    await driver.world.idle();
    code.newest().started();
    await driver.world.idle();
    return { call, asks: new Questions(code.newest()) };
  };
  const { call, asks } = await start();
  asks.execute("CREATE TABLE t (text TEXT)");
  await driver.world.idle();
  const texts = async (of: Questions) => {
    const ask = of.execute("SELECT text FROM t ORDER BY text");
    await driver.world.idle();
    return of.answer(ask);
  };
  return { driver, code, asks, call, start, texts };
}

test("statements outside of the transaction that is open wait for its end, whatever the code thinks of it", async () => {
  const { driver, asks } = await awake();
  await using _ = driver;
  const begun = asks.begin(1);
  const inside = asks.execute("INSERT INTO t VALUES ('inside')", 1);
  const outside = asks.execute("SELECT text FROM t");
  const second = asks.begin(2);
  await driver.world.idle();
  expect([begun, inside, outside, second].map((ask) => asks.answer(ask))).toEqual([
    "done",
    [],
    undefined,
    undefined,
  ]);
  const ended = asks.end(1);
  await driver.world.idle();
  expect([ended, outside].map((ask) => asks.answer(ask))).toEqual(["done", ["inside"]]);
  expect(asks.answer(second)).toBe("done");
});

test("what was said in a transaction leaves when it has ended; what was written with it is one batch", async () => {
  const { driver, code, asks, call } = await awake();
  await using _ = driver;
  await driver.world.idle();
  driver.takeBatches();
  asks.begin(1);
  await driver.world.idle();
  code.newest().write("n", 1);
  await driver.world.idle();
  code.newest().write("m", 2);
  code.newest().reply("said");
  await driver.world.idle();
  expect([call.state, driver.takeBatches()]).toEqual(["pending", []]);
  asks.end(1);
  await driver.world.idle();
  expect(call.value?.output).toBe("said");
  expect(driver.takeBatches().map((rows) => rows.map(({ key }) => key))).toEqual([["s:n", "s:m"]]);
});

test("a transaction that the code doesn't end is undone in time, and the code is told with its next word of it", async () => {
  const { driver, asks, texts } = await awake();
  await using _ = driver;
  asks.begin(1);
  asks.execute("INSERT INTO t VALUES ('late')", 1);
  const other = asks.execute("INSERT INTO t VALUES ('other')");
  await driver.world.pass(4_999);
  expect(asks.answer(other)).toBe(undefined);
  await driver.world.pass(10);
  expect(asks.answer(other)).toEqual([]);
  const late = [asks.execute("SELECT 1", 1), asks.begin(2, { outer: 1 }), asks.end(1)];
  await driver.world.idle();
  late.push(asks.end(1));
  await driver.world.idle();
  expect(late.map((ask) => asks.answer(ask))).toEqual([
    "sql.transaction_timed_out",
    "sql.transaction_timed_out",
    "sql.transaction_timed_out",
    "sql.transaction_ended",
  ]);
  expect(await texts(asks)).toEqual(["other"]);
});

test("a carrier that is lost in a transaction leaves nothing of what would be stored with it", async () => {
  const { driver, code, asks, call, start, texts } = await awake();
  await using _ = driver;
  asks.begin(1);
  asks.execute("INSERT INTO t VALUES ('lost')", 1);
  code.newest().write("n", 7);
  await driver.world.idle();
  code.newest().lose();
  await driver.world.idle();
  expect(call.value?.code).toBe("plugin.lost");
  const next = await start();
  expect(code.newest().heard("start").value.rows).toMatchObject([{ key: "created" }]);
  expect(await texts(next.asks)).toEqual([]);
});

test("numbers of transactions that make no sense are refused, and so are more than there may be", async () => {
  const { driver, asks } = await awake();
  await using _ = driver;
  const wrong = [asks.begin(0), asks.execute("SELECT 1", 7), asks.end(7), asks.begin(8, { outer: 7 })];
  await driver.world.idle();
  expect(new Set(wrong.map((ask) => asks.answer(ask)))).toEqual(new Set(["sql.transaction_ended"]));
  const begun = Array.from({ length: 33 }, (_, index) => asks.begin(index + 1, { outer: index }));
  await driver.world.idle();
  const answers = begun.map((ask) => asks.answer(ask));
  expect(answers.slice(0, 32).every((answer) => answer === "done")).toBe(true);
  expect(answers[32]).toBe("sql.too_many_transactions");
  // Those inside of it end with the outermost.
  const ended = asks.end(1);
  await driver.world.idle();
  const again = [asks.begin(40), asks.begin(41, { outer: 40 }), asks.execute("SELECT 1", 2)];
  await driver.world.idle();
  expect([ended, ...again].map((ask) => asks.answer(ask))).toEqual([
    "done",
    "done",
    "done",
    "sql.transaction_ended",
  ]);
});

test("without the need there is no database", async () => {
  const code = played("cbor", { database: true });
  await using driver = await Driver.start({ played: code.definition }, { databases: true });
  void driver.act("played", "act");
  await driver.world.idle();
  code.newest().started();
  const asks = new Questions(code.newest());
  const refused = [asks.execute("SELECT 1"), asks.begin(1)];
  await driver.world.idle();
  expect(refused.map((ask) => asks.answer(ask))).toEqual(["sql.unavailable", "sql.unavailable"]);
});
