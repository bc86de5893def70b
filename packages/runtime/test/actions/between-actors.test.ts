/** Calls from actor to actor of this process: deadlines and cancels go along, and a circle is an error. */
import { TIMEOUT_HEADER } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import {
  a,
  b,
  closeGate,
  fresh,
  gate,
  inner,
  type Names,
  open,
  options,
  outer,
  serialActions,
  type Target,
  told,
} from "./between.ts";

beforeEach(fresh);

test("a deadline goes on to what the action calls: the inner action is told, and so is the outer one", async () => {
  await using driver = await Driver.start({ inner, outer });
  const headers = { [TIMEOUT_HEADER]: "300" };
  const call = watch(driver.http("POST", "/actor/outer/action/relay", { args: ["work"] }, headers));
  await driver.world.pass(299);
  expect([call.state, told]).toEqual(["pending", []]);
  await driver.world.pass(1);
  expect(call.value?.code).toBe("actor.deadline_exceeded");
  expect([...told].sort()).toEqual([
    "inner: actor.deadline_exceeded",
    "outer got actor.deadline_exceeded",
    "outer: actor.deadline_exceeded",
  ]);
  gate.open();
  await driver.world.idle();
  expect((await driver.act("inner", "n")).output).toBe(1);
});

test("a cancel goes on to what the action calls: both are told, and the answer comes to the outer one all the same", async () => {
  await using driver = await Driver.start({ inner, outer });
  await using client = driver.client();
  const connection = client.outer.getOrCreate().connect();
  await connection.ready;
  const stop = new AbortController();
  const call = watch(connection.action({ name: "relay", args: ["work"], signal: stop.signal }));
  await driver.world.idle();
  stop.abort();
  await driver.world.idle();
  expect([call.code, [...told].sort()]).toEqual([
    "client.aborted",
    ["inner: actor.aborted", "outer: actor.aborted"],
  ]);
  gate.open();
  await driver.world.idle();
  expect(told.at(-1)).toBe("outer got 1");
});

test("actors that would wait for each other for ever are told so, and which they are", async () => {
  await using driver = await Driver.start({ a, b, open });
  const hello = (name: Names): Target => ({ name, action: "hello" });
  const [one, other] = [
    driver.act("a?key=1", "wait", { name: "open", action: "call", args: [hello("b")] }),
    driver.act("b", "wait", { name: "a", action: "hello" }),
  ].map(watch);
  await driver.world.idle();
  expect(told).toEqual(["in", "in"]);
  gate.open();
  await driver.world.idle();
  // The keys differ: nobody waits for anybody.
  expect([one?.value?.output, other?.value?.output]).toEqual(["hello", "hello"]);

  closeGate();
  const round = [
    driver.act("a", "wait", { name: "open", action: "call", args: [hello("b")] }),
    driver.act("b", "wait", hello("a")),
  ].map(watch);
  await driver.world.idle();
  gate.open();
  await driver.world.idle();
  const outputs = round.map(({ value }) => value?.output);
  const refused = outputs.find((output) => typeof output === "object") as { code: string; error: string };
  expect(refused.code).toBe("actor.deadlock");
  expect(refused.error).toMatch(/(a → b → a|b → a → b)/);
  expect(outputs).toContain("hello");
  expect((await driver.act("a", "hello")).output).toBe("hello");
});

test("a circle of three", async () => {
  const names = ["x", "y", "z"] as const;
  const use = { x: a, y: b, z: actor({ options, actions: serialActions }) };
  await using driver = await Driver.start(use);
  const next = (index: number) => ({ name: names[(index + 1) % 3], action: "hello" });
  const all = names.map((name, index) => watch(driver.act(name, "wait", next(index))));
  await driver.world.idle();
  gate.open();
  await driver.world.idle();
  const outputs = all.map(({ value }) => value?.output);
  expect(outputs.filter((output) => output === "hello")).toHaveLength(2);
  const [deadlock] = outputs.filter((output) => typeof output === "object") as { error: string }[];
  expect(deadlock?.error).toMatch(/\w → \w → \w → \w/);
});
