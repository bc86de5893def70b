/** What a plugin's actor declares is in force, and what it doesn't declare isn't there: nothing is switched on for all. */
import { createRelay } from "@troupe/relay/node";
import { type AnyActorDefinition, actor, type CarriedNeed, db, event, queue, setup } from "@troupe/runtime";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, type TestContext, test } from "vitest";
import { moduleCarrier } from "../../src/carriers/module/module-carrier.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { pluginSet } from "../../src/plugin-set.ts";
import { openSession } from "../../src/session/open-session.ts";
import { PluginSideSession } from "../../src/worker/plugin-session.ts";
import type { WorkerPlugin } from "../../src/worker.ts";

const ask = {
  sql: async (c: { readonly db: { execute(sql: string): Promise<readonly unknown[]> } }) =>
    await c.db.execute("SELECT 1 AS one"),
};

/** Two actors of one plugin: one that declares all, and one that declares nothing. */
const plugin: WorkerPlugin = {
  name: "needs",
  actors: {
    whole: actor({
      db: db(),
      queues: { jobs: queue() },
      events: { done: event() },
      onRequest: () => new Response("here"),
      onWebSocket: (_c, socket) => void socket.send("here"),
      options: { sleepTimeout: 60_000, actionTimeout: 50, noSleep: false, maxQueueSize: 1 },
      actions: { ...ask, hang: () => new Promise<never>(() => {}) },
    }),
    plain: actor({ actions: { sql: async (c) => await Reflect.apply(ask.sql, undefined, [c]) } }),
  },
};

async function world(context: TestContext, needs: readonly CarriedNeed[]) {
  const relay = createRelay();
  const plugins = pluginSet({ relay, plugins: [{ id: "needs", kind: "module", plugin }] });
  const named = (name: string): AnyActorDefinition => pluginActor({ plugin: "needs", actor: name, needs });
  const use = { whole: named("whole"), plain: named("plain") };
  const registry = setup({ use, plugins });
  await registry.start({ port: 0, signals: false, banner: false, durability: "memory" });
  context.onTestFinished(async () => await registry.stop());
  const client = await registry.client();
  const handles = { whole: client.whole.getOrCreate(["a"]), plain: client.plain.getOrCreate(["a"]) };
  const act = (of: keyof typeof handles, name: string): Promise<unknown> =>
    handles[of].action({ name, args: [] }).catch((error) => `${error.group}.${error.code}`);
  return { handles, act };
}

test("S1.4 what a plugin's actor declares is in force: its database, its queue, its routes, its time-out", async (context) => {
  const { act, handles } = await world(context, ["database"]);
  expect(await act("whole", "sql")).toEqual([{ one: 1 }]);
  expect(await act("whole", "hang")).toBe("actor.action_timed_out");
  expect(await (await handles.whole.fetch("/any")).text()).toBe("here");
  expect(await handles.whole.send("jobs", 1)).toBeUndefined();
  // Two are more than `maxQueueSize`.
  await expect(handles.whole.send("jobs", 2)).rejects.toMatchObject({ group: "queue", code: "full" });
});

test("S1.4 what it doesn't declare isn't there, and nothing is hard-coded on: its neighbour of the same plugin has it", async (context) => {
  const { act, handles } = await world(context, ["database"]);
  expect(await act("plain", "sql")).toBe("sql.no_database");
  expect((await handles.plain.fetch("/any")).status).toBe(404);
  await expect(handles.plain.send("jobs", 1)).rejects.toMatchObject({ code: "not_found" });
  const session = await openSession({
    env: nodeEnv({ logLevel: "silent" }),
    open: moduleCarrier(async (send) => new PluginSideSession(plugin, send)),
    hostVersion: "0.0.0",
  });
  const { whole, plain } = Object.fromEntries(session.declared.actors);
  expect(plain).toMatchObject({ options: {}, queues: [], database: false, sockets: false, requests: false });
  expect(whole).toMatchObject({ queues: ["jobs"], database: true, sockets: true, requests: true });
  expect(whole?.options).toMatchObject({
    sleepTimeout: 60_000,
    actionTimeout: 50,
    noSleep: false,
    maxQueueSize: 1,
  });
  await session.close();
});

test("S1.4 a database that is declared and that the program doesn't grant is refused by name", async (context) => {
  const { act } = await world(context, []);
  expect(await act("whole", "sql")).toBe("sql.unavailable");
});
