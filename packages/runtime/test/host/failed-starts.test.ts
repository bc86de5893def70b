/** The log's lines of actors that can't start, of which somebody asks again and again: one a minute for each. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import type { World } from "../driver/world.ts";

/** Of the lines, oldest first: the key, the id, and how many failures were left out since the one before. */
function told({
  world,
}: {
  readonly world: World;
}): readonly (readonly [key: unknown, id: unknown, more: unknown])[] {
  return world
    .logged("error", "an actor failed to start")
    .map(({ fields }) => [fields["key"], fields["id"], fields["more"]]);
}

test("one that can't be made has another id at each try, and still a line a minute: each address its own", async () => {
  let why = "no price list";
  const shop = actor({
    createState: (): object => {
      throw new Error(why);
    },
    actions: { open: () => 1 },
  });
  await using driver = await Driver.start({ shop });
  const open = async (key: string): Promise<unknown> =>
    Object((await driver.act(`shop?key=${key}`, "open")).error?.metadata).id;
  const [first, again, other] = [await open("a"), await open("a"), await open("b")];
  expect(again).toBe(first);
  expect(told(driver)).toEqual([
    [["a"], first, undefined],
    [["b"], other, undefined],
  ]);
  await driver.world.pass(60_000);
  const later = await open("a");
  expect(told(driver).slice(2)).toEqual([[["a"], later, 1]]);
  why = "no till";
  expect(await open("a")).not.toBe(later);
  expect(told(driver)).toHaveLength(4);
});

test("a program that is older than an actor's state says so once a minute, however often it is called", async () => {
  const at = (stateVersion: number) =>
    actor({
      state: { count: 0 },
      stateVersion,
      migrateState: (stored) => stored as { count: number },
      actions: { count: (c) => (c.state.count += 1) },
    });
  await using driver = await Driver.start({ note: at(2) });
  await driver.act("note?key=a", "count");
  await driver.restart({ note: at(1) });
  const codes = [await driver.act("note?key=a", "count"), await driver.act("note?key=a", "count")];
  expect(codes).toMatchObject([{ code: "actor.state_newer" }, { code: "actor.state_newer" }]);
  const [line] = driver.world.logged("error", "an actor failed to start");
  expect(line?.fields).toMatchObject({ actor: "note", cause: { code: "state_newer" } });
  for (const { error } of codes) expect(error?.metadata).toMatchObject({ id: line?.fields["id"] });
  expect(told(driver)).toHaveLength(1);
  await driver.world.pass(60_000);
  await driver.act("note?key=a", "count");
  expect(told(driver).map(([, , more]) => more)).toEqual([undefined, 1]);
});
