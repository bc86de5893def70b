/** A dynamic actor may name the scopes of its own calls, and nobody else's, whoever has told it their ids. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Listener } from "../../../runtime/test/relay/listener.ts";
import { dynamicActor } from "../../src/index.ts";
import { DynamicWorld, failure, moduleOf } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const source = moduleOf(`
  vars: {},
  actions: {
    where: (c) => [c.scope.uuid, c.scope.rootUuid],
    keep: (c) => { c.vars.kept = { uuid: c.scope.uuid, rootUuid: c.scope.rootUuid }; },
    late: (c) => c.tool("late", {}, () => 1, { parent: c.vars.kept }),
    within: (c) => c.tool("outer", {}, (args, { scope }) => c.tool("inner", {}, () => 1, { parent: scope })),
    tool: (c, parent) => c.tool("forged", {}, () => 1, { parent }),
    llm: (c, parent) => c.llm("forged", { headers: {}, content: 1 }, () => 1, { parent }),
    stream: (c, parent) => c.llmStream("forged", { headers: {}, content: 1 }, async function* () {}, { parent }),
    count: (c) => (c.vars.count = (c.vars.count ?? 0) + 1),
  },`);

/** Its scope is whoever's calls it. */
const victim = actor({
  actions: { where: (c) => [c.scope.uuid, c.scope.rootUuid] },
});

test("another's scope is refused to its tools and models, and nothing is said below it; the actor lives on", async () => {
  const listener = new Listener();
  const it = dynamicActor({ source, needs: ["calls"] });
  await using world = await DynamicWorld.start({ it, victim }, listener.relay);
  const ids = async (name: string, key?: string) =>
    Object(await world.handle(name, key).action({ name: "where", args: [] }));
  const own = await ids("it");
  await world.act("it", "count");
  // Of another actor, and of another tenant of the same source: each has a session of its own.
  const theirs = [await ids("victim"), await ids("it", "b")];
  await listener.forget();
  for (const [uuid, rootUuid] of [...theirs, [theirs[0]?.[0], own[1]], [own[0], theirs[0]?.[1]]])
    for (const action of ["tool", "llm", "stream"])
      expect(await failure(world.act("it", action, { uuid, rootUuid })), action).toMatchObject({
        is: "plugin.scope_unknown",
        metadata: { scope: expect.stringContaining(String(uuid)) },
      });
  expect((await listener.story()).filter((line) => line.includes("forged"))).toEqual([]);
  expect(await world.act("it", "count")).toBe(2);
});

test("its own calls' scopes are its to name: nested ones, and those that have been answered", async () => {
  const listener = new Listener();
  const it = dynamicActor({ source, needs: ["calls"] });
  await using world = await DynamicWorld.start({ it }, listener.relay);
  await world.act("it", "keep");
  await world.act("it", "late");
  expect((await listener.start("late")).parent_uuid).toBe((await listener.start("it.keep")).uuid);
  await world.act("it", "within");
  expect((await listener.start("inner")).parent_uuid).toBe((await listener.start("outer")).uuid);
});
