/** Calls from actor to actor, wherever their code runs: keys and chains go along. */
import { IDEMPOTENCY_HEADER, limits, TIMEOUT_HEADER } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { a, b, fresh, gate, inner, type Names, open, options, outer, type Target } from "./between.ts";

beforeEach(fresh);

test("what goes on behind an answer has no deadline of its call's", async () => {
  await using driver = await Driver.start({ inner, outer });
  const headers = { [TIMEOUT_HEADER]: "300" };
  await driver.http("POST", "/actor/outer/action/behind", {}, headers);
  await driver.world.pass(10_000);
  gate.open();
  await driver.world.idle();
  expect((await driver.act("inner", "n")).output).toBe(1);
});

test("an actor's keys are its own: known by its id, not by what it sends", async () => {
  await using driver = await Driver.start({ inner, outer });
  expect((await driver.act("outer", "twice")).output).toEqual([1, 1]);
  expect((await driver.act("outer", "twice")).output).toEqual([1, 1]);
  expect((await driver.act("outer?key=other", "twice")).output).toEqual([2, 2]);
  const headers = { [IDEMPOTENCY_HEADER]: "k" };
  expect((await driver.http("POST", "/actor/inner/action/add", {}, headers)).output).toBe(3);
});

test("a call that comes back to an actor through others is let in beside the one that made it", async () => {
  await using driver = await Driver.start({ a, b, open });
  const through = (name: Names, on: Target): Target => ({ name, action: "call", args: [on] });
  const back: Target = { name: "a", action: "hello" };
  for (const way of [back, through("b", back), through("open", through("b", back))])
    expect((await driver.act("a", "call", way)).output).toBe("hello");
});

test("one from outside is not let in, whatever it says of its chain", async () => {
  await using driver = await Driver.start({ a, b, open });
  const first = watch(driver.act("a", "wait", { name: "b", action: "hello" }));
  await driver.world.idle();
  const { actorId = "" } = await driver.http("POST", "/actor/a/resolve");
  const chain = [1, 2, 3].map((n) => ({ entry: `${actorId}.${n}.1`, actor: "a" }));
  const pretending = watch(
    driver.http(
      "POST",
      "/actor/a/action/hello",
      { args: [], chain },
      { "troupe-chain": JSON.stringify(chain) },
    ),
  );
  const socket = driver.socket("/actor/a/connect").hello();
  socket.raw(JSON.stringify({ kind: "action", id: 1, name: "hello", args: [], chain }));
  await driver.world.idle();
  expect([pretending.state, socket.story]).toEqual(["pending", ["welcome"]]);
  gate.open();
  await driver.world.idle();
  expect([first.value?.output, pretending.value?.output]).toEqual(["hello", "hello"]);
});

test("so many serial actors may call one another; one more is an error, and not a stack without end", async () => {
  const deeper = actor({
    options,
    actions: {
      go: async (c): Promise<unknown> => {
        const key = String(Number(c.key[0]) + 1);
        return await c.client().getOrCreate("deeper", [key]).action({ name: "go" });
      },
    },
  });
  await using driver = await Driver.start({ deeper });
  expect(await driver.act("deeper?key=1", "go")).toMatchObject({
    code: "actor.call_chain_too_long",
    error: { metadata: { limit: limits.callChainLength } },
  });
  expect(driver.runtime.host.size).toBe(limits.callChainLength + 1);
});
