/** Actors that call each other without an end: the process and its other actors go on. */
import { getEventListeners } from "node:events";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { CallersWait } from "../../src/ports/callers-wait.ts";
import { Driver } from "../driver/driver.ts";

const types: { readonly "~types"?: { readonly use: { readonly circle: typeof circle } } } = {};
let deepest = 0;

const circle = actor({
  state: { touched: 0 },
  actions: {
    nothing: () => {},
    /** Another of its kind, and that one the first again. */
    around: async (c, depth: number): Promise<void> => {
      deepest = depth;
      const next = c.client<typeof types>().circle.getOrCreate([c.key[0] === "a" ? "b" : "a"]);
      await next.around(depth + 1);
    },
    /** Asks another one over and over, until the event loop has had a turn. */
    untilATurn: async (c, most: number): Promise<number> => {
      const turn = { had: false };
      setImmediate(() => {
        turn.had = true;
      });
      const other = c.client<typeof types>().circle.getOrCreate(["other"]);
      let calls = 0;
      for (; calls < most && !turn.had; calls += 1) await other.nothing();
      return calls;
    },
    /** Many calls at once, told in their order. */
    inOrder: async (c, count: number): Promise<number[]> => {
      const order: number[] = [];
      const other = c.client<typeof types>().circle.getOrCreate(["other"]);
      const calls = Array.from({ length: count }, (_, n) => other.nothing().then(() => order.push(n)));
      await Promise.all(calls);
      return order;
    },
  },
});

test("two that call each other in a circle are told so, and nobody else is held up", async () => {
  await using driver = await Driver.start({ circle });
  const client = driver.client();
  const ended = client.circle
    .getOrCreate("a")
    .around(1)
    .then(
      () => "never",
      (cause) => (TroupeError.is(cause) ? `${cause.group}.${cause.code}` : cause),
    );
  await client.circle.getOrCreate("neighbour").nothing();
  expect(await ended).toBe("actor.calls_too_deep");
  expect(deepest).toBe(limits.callDepth + 1);
});

test("an actor that asks another without a pause leaves the event loop its turns", async () => {
  await using driver = await Driver.start({ circle });
  const calls = await driver.client().circle.getOrCreate("a").untilATurn(10_000);
  expect(calls).toBeLessThan(10_000);
});

test("a call that is over leaves nothing with the call that made it, nor with its signal", () => {
  const listeners = new Set<unknown>();
  const running = {
    until: undefined,
    chain: undefined,
    onAbandoned: (listener: unknown) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const { signal } = new AbortController();
  const wait = new CallersWait(running, signal);
  wait.onAbandoned(() => {});
  expect([listeners.size, getEventListeners(signal, "abort").length]).toEqual([1, 1]);
  wait.over();
  expect([listeners.size, getEventListeners(signal, "abort").length]).toEqual([0, 0]);
});

test("calls of one actor reach another in the order in which they were made, however many", async () => {
  await using driver = await Driver.start({ circle });
  const order = await driver.client().circle.getOrCreate("a").inOrder(500);
  expect(order).toEqual(Array.from({ length: 500 }, (_, n) => n));
});
