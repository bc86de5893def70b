/**
 * Every option of RivetKit's and ours: it takes effect, is known to have none, or is refused by name. The project `carried`
 * runs the same rows for actors whose code is behind actor/v1: there the option has travelled.
 */
import { readFileSync } from "node:fs";
import { actor, queue } from "@troupe/runtime";
import { expect, test } from "vitest";
import type { AnyActorDefinition } from "../../src/actor/definition.ts";
import { defaultOptions, noEffect, refusedOptions } from "../../src/actor/options.ts";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { codeOf, rejection, watch } from "../driver/watch.ts";

type It = Driver<{ it: AnyActorDefinition }>;

/** A story about an actor with the option. */
interface Row {
  readonly value: unknown;
  /** The rest of the definition. */
  readonly config?: Readonly<Record<string, unknown>>;
  story(driver: It, seen: string[]): Promise<void>;
}

const never = () => new Promise<never>(() => {});
const act = { act: () => "done" };

/** A hook that never answers ends when its time is over, and not before. */
function hookTime(hook: string): Row {
  return {
    value: 50,
    config: { [hook]: never, actions: act },
    story: async (driver) => {
      const call = watch(driver.act("it", "act"));
      await driver.world.pass(49);
      expect(call.state).toBe("pending");
      await driver.world.pass(2);
      expect(call.value).toMatchObject({
        code: "actor.hook_timed_out",
        error: { metadata: { timeoutMs: 50 } },
      });
    },
  };
}

const rows: Readonly<Record<string, Row>> = {
  onMigrateTimeout: hookTime("onMigrate"),
  createStateTimeout: hookTime("createState"),
  onCreateTimeout: hookTime("onCreate"),
  createVarsTimeout: hookTime("createVars"),
  onWakeTimeout: hookTime("onWake"),
  onBeforeConnectTimeout: hookTime("onBeforeConnect"),
  createConnStateTimeout: hookTime("createConnState"),
  onConnectTimeout: hookTime("onConnect"),
  actionTimeout: {
    value: 50,
    config: { actions: { act: never } },
    story: async (driver) => {
      const call = watch(driver.act("it", "act"));
      await driver.world.pass(49);
      expect(call.state).toBe("pending");
      await driver.world.pass(2);
      expect(call.value?.code).toBe("actor.action_timed_out");
    },
  },
  onRequestTimeout: {
    value: 50,
    config: { onRequest: never },
    story: async (driver) => {
      const call = watch(driver.fetch("/actor/it/request/"));
      await driver.world.pass(49);
      expect(call.state).toBe("pending");
      await driver.world.pass(2);
      expect(call.value?.status).toBe(504);
    },
  },
  sleepTimeout: {
    value: 50,
    config: { actions: act },
    story: async (driver, seen) => {
      await driver.act("it", "act");
      await driver.world.pass(49);
      expect(seen).toEqual([]);
      await driver.world.pass(2);
      expect(seen).toEqual(["onSleep"]);
    },
  },
  sleepGracePeriod: {
    value: 50,
    config: { actions: { act: never, id: () => 1 } },
    story: async (driver) => {
      const id = await driver.local().getOrCreate("it").resolve();
      void driver.act("it", "act");
      await driver.world.idle();
      const stopped = watch(driver.runtime.host.sleep(id));
      await driver.world.pass(49);
      expect(stopped.state).toBe("pending");
      // Code elsewhere has a second more for its last words.
      await driver.world.pass(2_000);
      expect(stopped.state).toBe("resolved");
    },
  },
  concurrency: {
    value: "serial",
    config: {
      state: { inside: 0, most: 0 },
      actions: {
        act: async (c: { state: { inside: number; most: number }; saveState(o: object): Promise<void> }) => {
          c.state.inside += 1;
          c.state.most = Math.max(c.state.most, c.state.inside);
          await c.saveState({ immediate: true });
          c.state.inside -= 1;
          return c.state.most;
        },
      },
    },
    story: async (driver) => {
      const calls = await Promise.all([1, 2, 3].map(() => driver.act("it", "act")));
      expect(calls.map(({ output }) => output)).toEqual([1, 1, 1]);
    },
  },
  noSleep: {
    value: true,
    config: { actions: act },
    story: async (driver, seen) => {
      await driver.act("it", "act");
      await driver.world.pass(10_000_000);
      expect(seen).toEqual([]);
    },
  },
  expireAfter: {
    value: 60_000,
    config: { actions: act },
    story: async (driver, seen) => {
      await driver.act("it", "act");
      await driver.world.pass(120_000);
      expect(seen).toContain("onDestroy");
    },
  },
  canHibernateWebSocket: {
    value: false,
    config: { onWebSocket: () => {} },
    story: async (driver) => {
      const id = await driver.local().getOrCreate("it").resolve();
      const socket = new RawClient(driver.world, driver.runtime.gateway, "/actor/it/websocket");
      await driver.world.idle();
      expect(socket.closed).toBeUndefined();
      await driver.runtime.host.sleep(id);
      await driver.world.idle();
      expect(socket.closed?.code).toBe(1012);
    },
  },
  maxSchedules: {
    value: 1,
    config: {
      actions: {
        act: (c: { schedule: { after(ms: number, name: string): Promise<string> } }) =>
          c.schedule.after(1e6, "act"),
      },
    },
    story: async (driver) => {
      expect((await driver.act("it", "act")).status).toBe(200);
      expect((await driver.act("it", "act")).code).toBe("schedule.too_many");
    },
  },
  maxQueueSize: {
    value: 1,
    config: { queues: { jobs: queue() }, actions: act },
    story: async (driver) => {
      const handle = driver.client({ retry: { deadlineMs: 0 } }).getOrCreate("it");
      await handle.send("jobs", 1);
      expect(await rejection(handle.send("jobs", 2))).toBe("queue.full");
    },
  },
  maxQueueMessageSize: {
    value: 10,
    config: { queues: { jobs: queue() }, actions: act },
    story: async (driver) => {
      const handle = driver.client().getOrCreate("it");
      await handle.send("jobs", "short");
      expect(await rejection(handle.send("jobs", "longer than ten"))).toBe("queue.message_too_large");
    },
  },
  maxIncomingMessageSize: {
    value: 200,
    config: { onWebSocket: () => {} },
    story: async (driver) => {
      const { world, runtime } = driver;
      const socket = new RawClient(world, runtime.gateway, "/actor/it/websocket").say("x".repeat(200));
      await world.idle();
      expect(socket.closed).toBeUndefined();
      socket.say("x".repeat(201));
      await world.idle();
      expect(socket.closed?.code).toBe(1009);
    },
  },
  maxOutgoingMessageSize: {
    value: 200,
    config: { actions: { act: (_c: unknown, length: number) => "x".repeat(length) } },
    story: async (driver) => {
      const connection = driver.client().getOrCreate("it").connect();
      expect(await connection.action({ name: "act", args: [5] })).toBe("xxxxx");
      expect(await rejection(connection.action({ name: "act", args: [200] }))).toBe(
        "message.outgoing_too_long",
      );
    },
  },
  rateLimit: {
    value: { actor: { calls: 1, perMs: 1_000 } },
    config: { actions: act },
    story: async (driver) => {
      expect((await driver.act("it", "act")).status).toBe(200);
      expect((await driver.act("it", "act")).code).toBe("actor.rate_limited");
    },
  },
};

/** For people alone: they stand in the descriptor. */
const shown = ["name", "icon"];

function define(options: unknown, config: Readonly<Record<string, unknown>> = {}): AnyActorDefinition {
  return Reflect.apply(actor, undefined, [{ ...config, options }]);
}

function refusalOf(options: unknown): string {
  try {
    define(options);
  } catch (error) {
    return codeOf(error);
  }
  return "accepted";
}

const page = readFileSync(new URL("../../../../docs/options.md", import.meta.url), "utf8");

/** What docs/options.md says: the default of each option, or what becomes of it. */
function documented(heading: string): Record<string, string> {
  const section = page.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const found = [...section.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)];
  return Object.fromEntries(found.map(([, name = "", what = ""]) => [name, what.trim()]));
}

function inWords(value: unknown): string {
  if (value === Number.MAX_SAFE_INTEGER) return "never";
  // As the kind of actor has it.
  if (value === undefined) return "where it can";
  return typeof value === "number" ? value.toLocaleString("en") : JSON.stringify(value);
}

test("docs/options.md has every option, with its default", () => {
  const defaults = Object.entries(defaultOptions).map(([name, value]) => [name, inWords(value)]);
  expect(documented("Options")).toEqual({
    ...Object.fromEntries(defaults),
    rateLimit: "none",
    name: "none",
    icon: "none",
  });
  expect(Object.keys(documented("Known, without effect"))).toEqual([...noEffect]);
  expect(Object.keys(documented("Refused"))).toEqual([...refusedOptions]);
});

test("each option has its row, and each row its option", () => {
  expect(Object.keys({ ...rows }).sort()).toEqual([...Object.keys(defaultOptions), "rateLimit"].sort());
});

test.each(Object.entries(rows))(
  "S2.6 (in part) %s takes effect",
  async (name, { value, config = {}, story }) => {
    const seen: string[] = [];
    const hooks = { onSleep: () => void seen.push("onSleep"), onDestroy: () => void seen.push("onDestroy") };
    await using driver = await Driver.start({ it: define({ [name]: value }, { ...hooks, ...config }) });
    await story(driver, seen);
  },
);

test.each(shown)("S2.6 (in part) %s is shown to people", (name) => {
  expect(define({ [name]: "x" }).descriptor.options).toMatchObject({ [name]: "x" });
  expect(refusalOf({ [name]: 5 })).toBe("config.invalid_option");
});

test.each([...noEffect])("S2.6 (in part) %s is known, and said to have no effect", (name) => {
  expect(define({ [name]: 5 }).descriptor.ignoredOptions).toEqual([name]);
});

test.each([...refusedOptions])("S2.6 (in part) %s is refused by name", (name) => {
  expect(refusalOf({ [name]: true })).toBe("config.unsupported_option");
});

test("S2.6 (in part) an option that nobody knows is refused with the nearest name", () => {
  expect(() => define({ actionTimeuot: 5 })).toThrow("actionTimeout");
  expect(refusalOf({ actionTimeuot: 5 })).toBe("config.unknown_option");
});
