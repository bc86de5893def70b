/** What a dynamic actor's source says of itself: marks and metrics, in the scope of its call, told by its registry's relay. */
import { propagationContextToJson, scopeElsewhere } from "@troupe/relay";
import { actor } from "@troupe/runtime";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, test } from "vitest";
import { Listener } from "../../../runtime/test/relay/listener.ts";
import { RelayHost } from "../../src/activation/relay-host.ts";
import { moduleCarrier } from "../../src/carriers/module/module-carrier.ts";
import { dynamicActor } from "../../src/index.ts";
import { allCapabilities } from "../../src/manifest/rules.ts";
import { openSession } from "../../src/session/open-session.ts";
import type { HostHandle } from "../../src/worker/host-handle.ts";
import { PluginSideSession } from "../../src/worker/plugin-session.ts";
import { DynamicWorld, failure, moduleOf } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const bytes = { name: "bytes", kind: "gauge", valueType: "u64" };
const source = moduleOf(`
  vars: {},
  onWake: (c) => {
    try { c.mark("woken"); } catch (error) { c.vars.early = error.group + "." + error.code; }
  },
  actions: {
    early: (c) => c.vars.early,
    where: (c) => [c.scope.uuid, c.scope.rootUuid],
    marks: async (c, name) => {
      c.mark(name, { data: { n: 1 }, severity: "warn" });
      // Still this call's, though nothing says so behind an await.
      await new Promise((done) => setTimeout(done, 1));
      c.metric("size", [{ ...${JSON.stringify(bytes)}, value: 7 }], { metadata: { a: "b" } });
    },
    wrong: (c) => { c.metric("size", [{ ...${JSON.stringify(bytes)}, value: -1 }]); return "goes on"; },
    unsayable: (c) => c.mark("it", { data: () => {} }),
    tool: (c) => c.tool("hammer", {}, () => 1),
  },`);

test("marks and metrics are below the call that says them, also behind an await and beside others", async () => {
  const listener = new Listener();
  const it = dynamicActor({ source, needs: ["events"] });
  await using world = await DynamicWorld.start({ it }, listener.relay);
  expect(await world.act("it", "early")).toBe("actor.no_relay");
  const [uuid, root] = Object(await world.act("it", "where"));
  expect([uuid, root]).toEqual([(await listener.start("it.where")).uuid, uuid]);
  await Promise.all(["one", "two"].map((name) => world.act("it", "marks", name)));
  await listener.relay.flushSubscribers();
  const calls = listener.events.filter(
    ({ name, ...event }) =>
      name === "it.marks" && "scope_category" in event && event.scope_category === "start",
  );
  const of = (name: string) =>
    listener.events.filter((event) => event.name === name).map((event) => event.parent_uuid);
  expect(new Set([...of("one"), ...of("two")])).toEqual(new Set(calls.map((call) => call.uuid)));
  expect(new Set(of("size"))).toEqual(new Set(calls.map((call) => call.uuid)));
  expect(await listener.mark("one")).toMatchObject({
    data: { n: 1 },
    metadata: { "nemo_relay.log.severity": "warn" },
  });
  expect(await listener.mark("size")).toMatchObject({
    metadata: { a: "b" },
    data: { measurements: [{ value: 7 }] },
  });
  await listener.forget();
  expect(await world.act("it", "wrong")).toBe("goes on");
  expect(await failure(world.act("it", "unsayable"))).toMatchObject({
    is: expect.stringMatching(/^value\./),
  });
  // Its middleware is the host's: to ask it is another need.
  expect(await failure(world.act("it", "tool"))).toMatchObject({ is: "actor.not_granted" });
  expect((await listener.story()).filter((line) => line.startsWith("mark"))).toEqual([]);
});

test("without the need it may not, and without a relay there is nobody", async () => {
  const listener = new Listener();
  await using plain = await DynamicWorld.start({ it: dynamicActor({ source }) }, listener.relay);
  expect(await failure(plain.act("it", "marks", "one"))).toMatchObject({
    is: "actor.not_granted",
    metadata: { need: "events" },
  });
  expect(await plain.act("it", "where")).toHaveLength(2);
  await using alone = await DynamicWorld.start({ it: dynamicActor({ source, needs: ["events"] }) });
  for (const action of ["marks", "where"])
    expect(await failure(alone.act("it", action, "one"))).toMatchObject({ is: "actor.no_relay" });
  for (const needs of ["events", ["x"], [null]])
    expect(() => Reflect.apply(dynamicActor, undefined, [{ source, needs }])).toThrow(
      /`needs` must be a list of actors, database, events, calls/,
    );
});

test("a plugin's handle takes the scope that its actor's call was told, for marks and forks, and ends nobody's", async () => {
  const heard = new Listener();
  let handle: HostHandle | undefined;
  const plugin = {
    name: "it",
    ready: (host: HostHandle) => {
      handle = host;
    },
    actors: { it: actor({ actions: {} }) },
  };
  const host = new RelayHost({ relay: heard.relay, id: "it", capabilities: allCapabilities });
  const open = moduleCarrier(async (send) => new PluginSideSession(plugin, send));
  const env = nodeEnv({ logLevel: "silent" });
  const session = await openSession({ env, open, hostVersion: "0.0.0", host });
  await heard.relay.withScope("call", "agent", async (scope) => {
    const context = heard.relay.capturePropagationContext(scope);
    if (context === undefined || handle === undefined) throw new Error("it is in a scope, and ready");
    host.scopes.told(propagationContextToJson(context), 1);
    const told = scopeElsewhere(context);
    await handle.mark("seen", { scope: told });
    const fork = await handle.forkScope(told);
    await handle.mark("beside", { scope: fork });
    expect([(await heard.mark("seen")).parent_uuid, (await heard.mark("beside")).parent_uuid]).toEqual([
      scope.uuid,
      scope.uuid,
    ]);
    const named = { id: propagationContextToJson(context), propagation: context };
    for (const end of [handle.popScope(named), handle.dropScope(named)])
      await expect(end).rejects.toMatchObject({ code: "scope_unknown" });
    await expect(handle.mark("x", { scope: { ...named, id: "{" } })).rejects.toMatchObject({
      code: "propagation_malformed",
    });
  });
  await session.close();
});
