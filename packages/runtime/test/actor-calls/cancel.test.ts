/** A call of one actor to another that nobody waits for any more: the one that was called is told, wherever the code of either runs. */
import { actor } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

const types: { readonly "~types"?: { readonly use: { readonly callee: typeof callee } } } = {};
const told: string[] = [];
let begun = false;
let enough = new Latch();

beforeEach(() => {
  told.length = 0;
  begun = false;
  enough = new Latch();
});

const callee = actor({
  actions: {
    work: (c) =>
      new Promise<string>((resolve) => {
        c.abortSignal.addEventListener("abort", () => {
          told.push(codeOf(c.abortSignal.reason));
          resolve("for nobody");
        });
        begun = true;
      }),
    ping: () => "pong",
  },
});

const caller = actor({
  actions: {
    withSignal: async (c) => {
      const controller = new AbortController();
      const other = c.client<typeof types>().callee.getOrCreate();
      const call = other.action({ name: "work", signal: controller.signal }).catch(codeOf);
      await enough.promise;
      controller.abort();
      return [await call, await other.ping()];
    },
    onward: async (c) => await c.client<typeof types>().callee.getOrCreate().work(),
  },
});

test("an AbortSignal that is given with a call of another actor fires the signal of the action that it calls", async () => {
  await using driver = await Driver.start({ caller, callee });
  const outcome = watch(driver.act("caller", "withSignal"));
  await driver.world.until(() => begun);
  expect([outcome.state, told]).toEqual(["pending", []]);
  enough.open();
  await driver.world.idle();
  expect(outcome.value?.output).toEqual(["client.aborted", "pong"]);
  expect(told).toEqual(["actor.aborted"]);
});

test("who gives up a call gives up what that call waits for", async () => {
  await using driver = await Driver.start({ caller, callee });
  await using client = driver.client();
  const stop = new AbortController();
  const call = watch(client.caller.getOrCreate().action({ name: "onward", signal: stop.signal }));
  await driver.world.until(() => begun);
  expect(told).toEqual([]);
  stop.abort();
  await driver.world.idle();
  expect(call.code).toBe("client.aborted");
  expect(told).toHaveLength(1);
});
