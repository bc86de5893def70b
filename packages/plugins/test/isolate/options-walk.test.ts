/** Every option of an actor in a real isolate: it takes effect, or the call says its name. */
import { expect, test } from "vitest";
import { noEffect, refusedOptions } from "../../../runtime/src/actor/options.ts";
import { realActors, realConfig, walk } from "../../../runtime/test/definitions/real-walk.ts";
import { DynamicWorld, dynamic, failure } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

test("S2.6 (in part) in an isolate every option takes effect", async () => {
  const use = Object.fromEntries(
    Object.keys(realActors).map((option) => [option, dynamic(realConfig(option))]),
  );
  await using world = await DynamicWorld.start(use);
  expect(await walk(world.endpoint, realActors)).toEqual([]);
}, 60_000);

test("S2.6 (in part) in an isolate an option that does nothing is known, and one that can't be is refused by name", async () => {
  const wrong = [...refusedOptions, "actionTimeuot"];
  const given = (names: readonly string[]) =>
    dynamic(`options: { ${names.map((name) => `${name}: 5`).join(", ")} }, actions: { act: () => "done" }`);
  const use = Object.fromEntries(wrong.map((name) => [name, given([name])]));
  await using world = await DynamicWorld.start({ ...use, idle: given([...noEffect]) });
  expect(await world.act("idle", "act")).toBe("done");
  const refusals = await Promise.all(wrong.map((name) => failure(world.act(name, "act"))));
  expect(refusals.map(({ is }) => is)).toEqual(wrong.map(() => "dynamic.load_failed"));
  expect(refusals.map(({ message }, at) => message.includes(`"${wrong[at]}"`))).toEqual(
    wrong.map(() => true),
  );
});
