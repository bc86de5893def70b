/** Turns of carried code that go on behind SQL: what a batch waits for, and what waits for the batch. */
import { limits } from "@troupe/protocol";
import { type CarriedError, SqlTurn, toCarriedError } from "@troupe/protocol/actor/v1";
import { expect, test } from "vitest";
import type { CarriedPhase } from "../../src/actor/carried/activation.ts";
import { HeldTurns } from "../../src/actor/carried/held-turns.ts";
import { actorErrors, storageErrors } from "../../src/errors.ts";
import { codeOf, watch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";

const ends = (turns: number, torn?: CarriedError) => ({
  turns,
  ...(torn === undefined ? {} : { torn }),
});

/** Turns over a batch that says whether it is held, and what is done in which order. */
function batch({ actionTimeout = 1 } = {}) {
  const world = new World();
  const of = {
    held: false,
    wrote: false,
    done: [] as string[],
    phase: { tag: "running" as CarriedPhase["tag"] },
  };
  const hold = () => {
    of.held = true;
    return () => {
      of.held = false;
      // As a committer that takes what it may.
      world.afterTurn(() => {
        if (!of.held) of.wrote = false;
      });
    };
  };
  const turns = new HeldTurns({
    env: world,
    encoding: "cbor",
    descriptor: { options: { actionTimeout } },
    phase: of.phase,
    break: (cause) => {
      of.done.push(`broken: ${codeOf(cause)}`);
    },
    gate: {
      get wrote() {
        return of.wrote;
      },
      break: (error) => of.done.push(`broken: ${codeOf(error)}`),
    },
    request: { store: { hold } },
  });
  const ask = (name: string, turn: SqlTurn = SqlTurn.HELD) =>
    watch(
      turns.run(turn, async () => {
        of.done.push(name);
        of.wrote = true;
      }),
    );
  return { world, of, turns, ask };
}

test("a batch is held from a question on until all turns are over that answers have brought", async () => {
  const { world, of, turns, ask } = batch();
  ask("a");
  await world.idle();
  ask("b", SqlTurn.CONTINUED);
  expect(of.held).toBe(true);
  turns.over(ends(1));
  expect(of.held).toBe(true);
  await world.idle();
  turns.over(ends(1));
  turns.cutOff(actorErrors.stopping());
  expect([of.held, of.done]).toEqual([false, ["a", "b"]]);
});

test("half a turn breaks the gate: nothing of its batch is stored", async () => {
  const { of, turns, ask } = batch();
  ask("a");
  turns.cutOff(actorErrors.stopping());
  expect(of.done).toEqual(["a", "broken: actor.stopping"]);
});

test("one that fails holds it as well: the turn goes on with the error", async () => {
  const { world, of, turns } = batch();
  const failed = watch(turns.run(SqlTurn.HELD, () => Promise.reject(new RangeError("no"))));
  await world.idle();
  expect([failed.state, of.held]).toEqual(["rejected", true]);
  turns.over(ends(1));
  expect(of.held).toBe(false);
});

test("sqlTurnJoinMs: what was held for so long takes no new turn, lets those go on that it has, and is taken", async () => {
  const { world, of, turns, ask } = batch();
  ask("first");
  await world.pass(limits.sqlTurnJoinMs);
  const [late, later] = [ask("late"), ask("later")];
  ask("first, again", SqlTurn.CONTINUED);
  await world.idle();
  expect([of.done, late.state, of.wrote]).toEqual([["first", "first, again"], "pending", true]);
  turns.over(ends(2));
  await world.idle();
  expect([late.state, later.state]).toEqual(["resolved", "resolved"]);
  expect(of.done).toEqual(["first", "first, again", "late", "later"]);
  // They are of the next batch, which is held for them.
  expect(of.held).toBe(true);
});

test("a batch that has nothing to store keeps nobody waiting", async () => {
  const { world, of, ask } = batch();
  ask("a look");
  await world.idle();
  of.wrote = false;
  await world.pass(limits.sqlTurnJoinMs * 10);
  expect(ask("another").state).toBe("pending");
  await world.idle();
  expect(of.done).toEqual(["a look", "another"]);
});

test("who waits is bounded, and an end of all lets them go to learn of it", async () => {
  const { world, turns, ask } = batch();
  ask("first");
  await world.pass(limits.sqlTurnJoinMs);
  const waiting = Array.from({ length: limits.sqlWaiting }, (_, n) => ask(`${n}`));
  const refused = ask("one more");
  await world.idle();
  expect([refused.code, waiting.at(-1)?.state]).toEqual(["sqlite.busy", "pending"]);
  turns.cutOff(actorErrors.stopping());
  await world.idle();
  expect(waiting.every(({ state }) => state === "resolved")).toBe(true);
});

test("sqlTurnMs: a turn that never ends is given up, and an end of all lets go of its timer", async () => {
  const { world, of, turns, ask } = batch();
  ask("a");
  await world.pass(limits.sqlTurnMs - 1);
  expect(of.done).toEqual(["a"]);
  await world.pass(1);
  expect(of.done).toEqual(["a", "broken: actor.turn_too_long"]);
  turns.cutOff(actorErrors.stopping());
  expect(of.held).toBe(false);
  // What comes behind that keeps nothing back.
  ask("late");
  await world.pass(limits.sqlTurnMs * 2);
  expect([of.held, of.done.filter((line) => line.includes("too_long"))]).toEqual([
    false,
    ["broken: actor.turn_too_long"],
  ]);
});

test("sqlTurnMs counts from when somebody waits: not through turns that wrote nothing, nor through a start", async () => {
  const { world, of, turns, ask } = batch();
  ask("a look");
  await world.idle();
  of.wrote = false;
  await world.pass(limits.sqlTurnMs * 3);
  of.phase.tag = "loading";
  of.wrote = true;
  await world.pass(limits.sqlTurnMs * 3);
  of.phase.tag = "running";
  expect(of.done).toEqual(["a look"]);
  turns.over(ends(1));
  await world.pass(limits.sqlTurnMs * 3);
  expect(of.done).toEqual(["a look"]);
});

test("a turn may take as long as an action, where that is longer, and for ever where that may", async () => {
  const long = batch({ actionTimeout: limits.sqlTurnMs * 2 });
  long.ask("a");
  await long.world.pass(limits.sqlTurnMs * 2 - 1);
  expect(long.of.done).toEqual(["a"]);
  await long.world.pass(1);
  expect(long.of.done).toEqual(["a", "broken: actor.turn_too_long"]);
  const endless = batch({ actionTimeout: Infinity });
  endless.ask("a");
  await endless.world.pass(limits.sqlTurnMs * 100);
  expect(endless.of.done).toEqual(["a"]);
});

test("a turn whose end says what can't be stored fails its batch with that", async () => {
  const { world, of, turns, ask } = batch();
  ask("a");
  await world.idle();
  turns.over(ends(1, toCarriedError(storageErrors.batchTooLarge(2, 1), "cbor")));
  expect([of.held, of.done]).toEqual([false, ["a", "broken: storage.batch_too_large"]]);
});
