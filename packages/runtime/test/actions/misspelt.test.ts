/** A misspelt action is answered with the one that was meant, as far as whoever calls may know of it. */
import { actor, type Registry } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

const long = "a".repeat(65);
const actions = { increment: () => 1, reset: () => 0, "admin.wipe": () => 0, [long]: () => 0 };
const open = actor({ canCall: { reset: "internal", "admin.wipe": () => false }, actions });
const guarded = actor({ onBeforeConnect: () => {}, actions });
const caller = actor({
  actions: {
    mistake: async (c): Promise<string> => {
      const other = c.client<Registry<{ guarded: typeof guarded }>>().guarded.getOrCreate("a");
      return await other.action({ name: "incremnt", args: [] }).then(String, (error: Error) => error.message);
    },
  },
});

async function over(
  driver: Driver<{ open: typeof open; guarded: typeof guarded }>,
  name: string,
  action: string,
) {
  const { status, code, text } = await driver.http("POST", `/actor/${name}/action/${action}?key=a`, {
    args: [],
  });
  expect([status, code]).toEqual([404, "actor.action_not_found"]);
  return JSON.parse(text).error.message;
}

test("over HTTP the near one is named, and none that has a rule, is far, or is asked for with a name that is no mistake", async () => {
  await using driver = await Driver.start({ open, guarded });
  expect(await over(driver, "open", "incremnt")).toBe(
    'Actor "open" has no action "incremnt": did you mean "increment"?',
  );
  for (const action of ["rest", "admin.wip", "frobnicate", `${long}a`])
    expect(await over(driver, "open", action)).toBe(`Actor "open" has no action "${action}"`);
});

test("where hooks say who comes in, nobody is told who hasn't come in: a connection is, and another actor", async () => {
  await using driver = await Driver.start({ open, guarded, caller });
  expect(await over(driver, "guarded", "incremnt")).toBe('Actor "guarded" has no action "incremnt"');
  const socket = driver.socket("/actor/guarded/connect?key=a").hello().action(1, "incremnt");
  await driver.world.until(() => socket.frames.some(({ kind }) => kind === "error"));
  expect(JSON.stringify(socket.frames)).toContain(String.raw`did you mean \"increment\"?`);
  expect(await driver.local().caller.getOrCreate("a").mistake()).toContain('did you mean "increment"?');
});
