/** Every option of an actor in a real native library: it takes effect, or the call says its name. */
import { type AnyActorDefinition, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { defaultOptions } from "../../../runtime/src/actor/options.ts";
import {
  act,
  type RealActor,
  realActors,
  said,
  sleeps,
  soon,
  walk,
} from "../../../runtime/test/definitions/real-walk.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { cPlugin } from "../support/built.ts";

/** Where a library's actor can do what the other kinds can't, or the other way round, the story is its own. */
const own: Readonly<Record<string, RealActor["story"]>> = {
  actionTimeout: async (handle) => expect(await act(handle("a"), "hang")).toBe("actor.action_timed_out"),
  sleepGracePeriod: async (handle) => {
    // Its stop waits until somebody lets it go: nobody does, before the actor has woken again.
    expect(await act(handle("a"), "wakes")).toBe(1);
    await soon(sleeps(handle("a")));
    await act(handle("b", "plain"), "let_go");
  },
  onWakeTimeout: async (handle) => {
    expect(await soon(act(handle("a")))).toBe("actor.hook_timed_out");
    await act(handle("b", "plain"), "let_go");
  },
  maxIncomingMessageSize: async (handle) => {
    const connection = handle("a").connect();
    const ask = (length: number) => said(connection.action({ name: "act", args: ["x".repeat(length)] }));
    expect([await ask(5), await ask(300)]).toEqual(["done", "message.incoming_too_long"]);
    await connection.dispose();
  },
  maxOutgoingMessageSize: async (handle) => {
    const connection = handle("a").connect();
    const ask = (name: string) => said(connection.action({ name, args: [] }));
    expect([await ask("act"), await ask("long")]).toEqual(["done", "message.outgoing_too_long"]);
    await connection.dispose();
  },
  // The host keeps its queues and schedules.
  maxSchedules: async (handle) => {
    expect(await act(handle("a"), "later")).toEqual(expect.any(String));
    expect(await said(act(handle("a"), "later"))).toBe("schedule.too_many");
  },
  maxQueueSize: async (handle) => {
    await handle("a").send("inbox", 1);
    expect(await said(handle("a").send("inbox", 2))).toBe("queue.full");
  },
  maxQueueMessageSize: async (handle) => {
    expect(await said(handle("a").send("inbox", "x".repeat(100)))).toBe("queue.message_too_large");
  },
};
const shared = ["sleepTimeout", "noSleep", "rateLimit", "canHibernateWebSocket"];
const known = ["name", "icon", "stateSaveInterval"];
/** Of these nobody but the code could keep what they say, and the C SDK's code can't. */
const refused = Object.keys(defaultOptions).filter((name) => !(name in own) && !shared.includes(name));
const unknown = ["enableActorRuntimeSocket", "actionTimeuot"];

test("S1.4, S2.6 (in part): in a native library every option takes effect or is refused by name", async (context) => {
  const built = await cPlugin("options");
  if (built.missing !== undefined) return context.skip(built.missing);
  const names = ["plain", ...Object.keys(own), ...shared, ...known, ...refused, ...unknown];
  const use: Record<string, AnyActorDefinition> = Object.fromEntries(
    names.map((actor) => [actor, pluginActor({ library: built.path, actor })]),
  );
  const registry = setup({ use });
  const { endpoint } = await registry.start({ port: 0, durability: "memory", signals: false, banner: false });
  const refuses =
    (name: string): RealActor["story"] =>
    async (handle) => {
      const failing = handle("a").action({ name: "act", args: [] });
      const { message, code } = await failing.then(
        () => ({ message: "it was accepted", code: "" }),
        (error: { message: string; code: string }) => error,
      );
      expect([code, message.includes(`"${name}"`)]).toEqual([expect.stringMatching(/option/), true]);
    };
  const accepts: RealActor["story"] = async (handle) => expect(await act(handle("a"))).toBe("done");
  const stories = {
    ...own,
    ...Object.fromEntries(shared.map((name) => [name, realActors[name]?.story ?? accepts])),
    ...Object.fromEntries(known.map((name) => [name, accepts])),
    ...Object.fromEntries([...refused, ...unknown].map((name) => [name, refuses(name)])),
  };
  const wrong = await walk(
    endpoint,
    Object.fromEntries(Object.entries(stories).map(([name, story]) => [name, { story }])),
  );
  await registry.stop();
  expect(wrong).toEqual([]);
}, 120_000);
