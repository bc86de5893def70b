/**
 * How long anybody waits for a helper process, and for its answers. The processes of these stories answer when the test says
 * so; time is the test's.
 */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { HelperLine } from "../../src/node/sqlite/sql-process/helper-line.ts";
import type { HelperQuestion } from "../../src/node/sqlite/sql-process/helper-messages.ts";
import { HelperPool } from "../../src/node/sqlite/sql-process/helper-pool.ts";
import {
  type HelperChild,
  type HelperEar,
  HelperLost,
  HelperProcess,
} from "../../src/node/sqlite/sql-process/helper-process.ts";
import { watch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";

/** A process that does what it is told. */
class ScriptedHelper implements HelperChild {
  readonly asked: HelperQuestion["kind"][] = [];
  killed = false;
  readonly #ear: HelperEar;
  readonly #manner: "answers" | "starts and is silent" | "never starts";

  constructor(ear: HelperEar, world: World, manner: ScriptedHelper["manner"]) {
    this.#ear = ear;
    this.#manner = manner;
    if (manner !== "never starts") world.afterTurn(() => ear.said({ kind: "ready" }));
  }

  get manner() {
    return this.#manner;
  }

  send({ kind }: HelperQuestion): void {
    this.asked.push(kind);
    if (this.#manner === "answers") this.#ear.said({ kind: "answer", pending: false });
  }

  kill(): void {
    this.killed = true;
    this.#ear.ended(new HelperLost("ended", "exit SIGKILL"));
  }

  hold(): void {}
  awaitEnd(): void {}
  letGo(): void {}
}

function poolOf(world: World, manner: ScriptedHelper["manner"], most: number) {
  const helpers: ScriptedHelper[] = [];
  const start = (ear: HelperEar): ScriptedHelper => {
    const helper = new ScriptedHelper(ear, world, manner);
    helpers.push(helper);
    return helper;
  };
  return { helpers, start, pool: new HelperPool({ env: world, start, most }) };
}

function lineOf(world: World, pool: HelperPool): HelperLine {
  return new HelperLine({
    env: world,
    pool,
    opening: () => ({
      kind: "open",
      path: "/file",
      spare: undefined,
      durability: "commit",
    }),
  });
}

test("who finds all helpers busy waits `sqlHelperWaitMs` for one, and not longer", async () => {
  const world = new World();
  const { pool } = poolOf(world, "answers", 1);
  const first = await pool.borrow();
  const late = watch(pool.borrow());
  await world.pass(limits.sqlHelperWaitMs - 1);
  expect(late.state).toBe("pending");
  await world.pass(1);
  expect([late.state, late.code]).toEqual(["rejected", "sql.helpers_busy"]);
  expect(late.error).toMatchObject({ retryable: true, metadata: { limit: 1, applied: "no" } });
  // One that comes free in time is the next one's; the place of who gave up is nobody's.
  const next = watch(pool.borrow());
  await world.pass(limits.sqlHelperWaitMs - 1);
  pool.giveBack(first);
  await world.pass(1);
  expect([next.state, next.value === first]).toEqual(["resolved", true]);
  await pool.close();
});

test("an actor that has asked nothing for `sqlHelperIdleMs` gives its helper back, and one that nobody wants ends as much later", async () => {
  const world = new World();
  const { pool, helpers } = poolOf(world, "answers", 2);
  const line = lineOf(world, pool);
  const ask = () => line.run(() => line.ask({ kind: "load" }, 1_000));
  await ask();
  await world.pass(limits.sqlHelperIdleMs - 1);
  // Asking again begins the time anew.
  await ask();
  await world.pass(limits.sqlHelperIdleMs - 1);
  expect(helpers.map(({ asked }) => asked)).toEqual([["open", "load", "load"]]);
  await world.pass(1);
  expect([helpers[0]?.asked.at(-1), helpers[0]?.killed, line.open]).toEqual(["close", false, false]);
  await world.pass(limits.sqlHelperIdleMs);
  expect(helpers[0]?.killed).toBe(true);
  // The next question has a new one.
  await ask();
  expect(helpers).toHaveLength(2);
  await pool.close();
});

test("while others wait, an actor gives its helper back after `sqlHelperTurnMs`, also when it goes on asking", async () => {
  const world = new World();
  const { pool } = poolOf(world, "answers", 1);
  const [one, other] = [lineOf(world, pool), lineOf(world, pool)];
  const ask = (line: HelperLine) => line.run(() => line.ask({ kind: "load" }, 1_000));
  // What is asked without a pause never rests.
  let asking = true;
  const busy = one.run(async () => {
    while (asking) {
      await one.ask({ kind: "load" }, 1_000);
      await new Promise<void>((resolve) => void world.timers.set(resolve, 1));
    }
  });
  await world.pass(1);
  const waiting = watch(ask(other));
  await world.pass(limits.sqlHelperTurnMs - 10);
  expect(waiting.state).toBe("pending");
  await world.pass(20);
  expect(waiting.state).toBe("resolved");
  asking = false;
  await world.pass(limits.sqlHelperTurnMs + limits.sqlHelperWaitMs);
  await busy;
  await pool.close();
});

test("a helper that doesn't start, or doesn't answer, in `sqlHelperAnswerMs` is killed, and its question fails", async () => {
  const world = new World();
  for (const manner of ["never starts", "starts and is silent"] as const) {
    const { start, helpers } = poolOf(world, manner, 1);
    const helper = new HelperProcess(world, start);
    const asked = watch(helper.ask({ kind: "load" }, limits.sqlHelperAnswerMs));
    await world.pass(limits.sqlHelperAnswerMs - 1);
    expect([asked.state, helpers[0]?.killed]).toEqual(["pending", false]);
    await world.pass(1);
    expect([asked.state, helpers[0]?.killed, helper.ended]).toEqual(["rejected", true, true]);
    expect(asked.error).toMatchObject({ why: "time" });
    await helper.exited;
  }
});

test("a file whose helper is silent when it is asked to open it says `sql.helper_lost`; the next one is opened by another", async () => {
  const world = new World();
  const { pool, helpers } = poolOf(world, "starts and is silent", 1);
  const line = lineOf(world, pool);
  const asked = watch(line.run(() => line.ask({ kind: "load" }, 1_000)));
  await world.pass(limits.sqlHelperAnswerMs);
  expect([asked.state, asked.code]).toEqual(["rejected", "sql.helper_lost"]);
  line.run(() => line.ask({ kind: "load" }, 1_000)).catch(() => {});
  await world.idle();
  expect(helpers.map(({ killed, asked: kinds }) => [killed, kinds])).toEqual([
    [true, ["open"]],
    [false, ["open"]],
  ]);
  await pool.close();
});
