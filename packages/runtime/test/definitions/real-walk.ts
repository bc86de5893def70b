/**
 * The walk over every option for actors whose code really is elsewhere: a process of isolates, a native library, workerd.
 * Each option has an actor of its own, and a story that its client sees by the clock of the machine. All stories run at
 * once: none depends on how long another takes.
 */
import { type Client, createClient, type UniversalWebSocket } from "@troupe/client";
import { expect } from "vitest";

type AnyHandle = ReturnType<Client["getOrCreate"]>;

/** One kind of actor with one option. */
export interface RealActor {
  /** What its code is made of: JavaScript, as `actor({ … })` takes it. Native libraries have their own. */
  readonly value: string;
  readonly config?: string;
  /** `handle` gives an actor of the kind that has the option of the given name; its own when none is given. */
  story(handle: (key: string, option?: string) => AnyHandle): Promise<void>;
}

/** A condition takes as long as it takes; only what should never come true gives up. */
const patience = { timeout: 15_000, interval: 300 };

const never = "() => new Promise(() => {})";
const acts = `state: { wakes: 0 }, onWake: (c) => { c.state.wakes += 1; }`;

/** `group.code` of what a call fails with, or what it gives. */
export async function said(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (typeof error !== "object" || error === null || !("group" in error) || !("code" in error)) throw error;
    return `${String(error.group)}.${String(error.code)}`;
  }
}

export function act(handle: AnyHandle, name = "act", ...args: unknown[]): Promise<unknown> {
  return said(handle.action({ name, args }));
}

/** One that is asked now and then sleeps in between. */
export async function sleeps(handle: AnyHandle): Promise<void> {
  const before = Number(await act(handle, "wakes"));
  await expect.poll(() => act(handle, "wakes"), patience).toBeGreaterThan(before);
}

/** Far less than what the default allows. */
export async function soon<T>(work: Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work;
  expect(performance.now() - began).toBeLessThan(10_000);
  return result;
}

function hook(name: string): RealActor {
  return {
    value: "50",
    config: `${name}: ${never}, actions: { act: () => "done" }`,
    story: async (handle) => expect(await act(handle("a"))).toBe("actor.hook_timed_out"),
  };
}

/** The code that a socket is closed with for what comes behind its first message, which is answered. */
async function closing(handle: AnyHandle, then: (socket: UniversalWebSocket) => unknown): Promise<number> {
  const socket = await handle.webSocket();
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => resolve(code);
  });
  const answered = new Promise<void>((resolve) => {
    socket.onmessage = () => resolve();
  });
  socket.onopen = () => socket.send("x".repeat(200));
  await answered;
  await then(socket);
  return await closed;
}

const echo = "onWebSocket: (c, ws) => { ws.onmessage = ({ data }) => ws.send(data); }";

/** The options that take effect, each with its story. */
export const realActors: Readonly<Record<string, RealActor>> = {
  onMigrateTimeout: hook("onMigrate"),
  createStateTimeout: hook("createState"),
  onCreateTimeout: hook("onCreate"),
  createVarsTimeout: hook("createVars"),
  onWakeTimeout: hook("onWake"),
  onBeforeConnectTimeout: hook("onBeforeConnect"),
  createConnStateTimeout: hook("createConnState"),
  onConnectTimeout: hook("onConnect"),
  actionTimeout: {
    value: "50",
    config: `actions: { act: ${never} }`,
    story: async (handle) => expect(await act(handle("a"))).toBe("actor.action_timed_out"),
  },
  onRequestTimeout: {
    value: "50",
    config: `onRequest: ${never}, actions: {}`,
    story: async (handle) => expect((await handle("a").fetch("/")).status).toBe(504),
  },
  sleepTimeout: {
    value: "50",
    config: `${acts}, actions: { wakes: (c) => c.state.wakes }`,
    story: async (handle) => await sleeps(handle("a")),
  },
  sleepGracePeriod: {
    value: "50",
    config: `${acts}, actions: { wakes: (c) => c.state.wakes, hang: ${never}, nap: (c) => c.sleep() }`,
    story: async (handle) => {
      const it = handle("a");
      const hanging = act(it, "hang");
      await act(it, "nap");
      expect(await soon(act(it, "wakes"))).toBe(2);
      await hanging;
    },
  },
  concurrency: {
    value: `"serial"`,
    config: `state: { inside: 0, most: 0 }, actions: { act: async (c) => {
      c.state.most = Math.max(c.state.most, c.state.inside += 1);
      await c.saveState({ immediate: true });
      c.state.inside -= 1;
      return c.state.most;
    } }`,
    story: async (handle) =>
      expect(await Promise.all([1, 2, 3].map(() => act(handle("a"))))).toEqual([1, 1, 1]),
  },
  noSleep: {
    value: "true, sleepTimeout: 1",
    config: `${acts}, actions: { wakes: (c) => c.state.wakes }`,
    story: async (handle) => {
      const wakeful = handle("a");
      expect(await act(wakeful, "wakes")).toBe(1);
      await sleeps(handle("a", "sleepTimeout"));
      expect(await act(wakeful, "wakes")).toBe(1);
    },
  },
  expireAfter: {
    value: "500",
    config: `state: { calls: 0 }, actions: { act: (c) => c.state.calls += 1 }`,
    // A new one begins anew.
    story: async (handle) => {
      await act(handle("a"));
      const left = async () => {
        await sleeps(handle("a", "sleepTimeout"));
        return await act(handle("a"));
      };
      await expect.poll(left, patience).toBe(1);
    },
  },
  canHibernateWebSocket: {
    value: "false",
    config: `${echo}, actions: { nap: (c) => c.sleep() }`,
    story: async (handle) => expect(await closing(handle("a"), () => act(handle("a"), "nap"))).toBe(1012),
  },
  maxSchedules: {
    value: "1",
    config: `actions: { act: async (c) => void (await c.schedule.after(1e6, "act")) }`,
    story: async (handle) =>
      expect([await act(handle("a")), await act(handle("a"))]).toEqual([undefined, "schedule.too_many"]),
  },
  maxQueueSize: {
    value: "1",
    config: "queues: { jobs: queue() }, actions: {}",
    story: async (handle) => {
      await handle("a").send("jobs", 1);
      expect(await said(handle("a").send("jobs", 2))).toBe("queue.full");
    },
  },
  maxQueueMessageSize: {
    value: "10",
    config: "queues: { jobs: queue() }, actions: {}",
    story: async (handle) => {
      await handle("a").send("jobs", "short");
      expect(await said(handle("a").send("jobs", "longer than ten"))).toBe("queue.message_too_large");
    },
  },
  maxIncomingMessageSize: {
    value: "200",
    config: `${echo}, actions: {}`,
    story: async (handle) =>
      expect(await closing(handle("a"), (socket) => socket.send("x".repeat(201)))).toBe(1009),
  },
  maxOutgoingMessageSize: {
    value: "200",
    config: `actions: { act: (c, length) => "x".repeat(length) }`,
    story: async (handle) => {
      const connection = handle("a").connect();
      const ask = (length: number) => said(connection.action({ name: "act", args: [length] }));
      expect([await ask(5), await ask(200)]).toEqual(["xxxxx", "message.outgoing_too_long"]);
      await connection.dispose();
    },
  },
  rateLimit: {
    value: "{ actor: { calls: 1, perMs: 3_600_000 } }",
    config: `actions: { act: () => "done" }`,
    story: async (handle) => {
      expect(await act(handle("a"))).toBe("done");
      expect(await act(handle("a"))).toBe("actor.rate_limited");
    },
  },
};

/** The configuration of the actor that has an option, as `actor()` takes it. */
export function realConfig(option: string): string {
  const { value, config = "actions: {}" } = realActors[option] ?? { value: "undefined" };
  return `options: { ${option}: ${value} }, ${config}`;
}

/** Walks all options at once, each at the actor that is registered under its name. Gives those that don't do what they should, and why. */
export async function walk(
  endpoint: string,
  stories: Readonly<Record<string, Pick<RealActor, "story">>>,
): Promise<readonly string[]> {
  // What is to be refused is refused once.
  const client = createClient({ endpoint, retry: { deadlineMs: 0 } });
  const wrong: string[] = [];
  const told = Object.entries(stories).map(async ([option, { story }]) => {
    try {
      await story((key, of = option) => client.getOrCreate(of, [key]));
    } catch (cause) {
      wrong.push(`${option}: ${String(cause)}`);
    }
  });
  await Promise.all(told);
  await client.dispose();
  return wrong;
}
