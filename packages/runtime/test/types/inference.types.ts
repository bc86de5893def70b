/**
 * What the types of definitions promise, checked by `tsc`: inferred from the definition alone, through hooks, actions
 * and the client, without an `any` anywhere. Each `@ts-expect-error` is an error that a user must get.
 */
import type { Client } from "@troupe/client";
import {
  type ActionContextOf,
  type ActorContextOf,
  actor,
  type ConnectContextOf,
  type ConnOf,
  type CreateContextOf,
  type CreateStateContextOf,
  db,
  event,
  type RunContextOf,
  type ScheduledFireInfo,
  type ScheduleOf,
  type SleepContextOf,
  type StateOf,
  setup,
  setupTest,
  type TestScope,
  type WakeContextOf,
} from "@troupe/runtime";
import { z } from "zod";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type IsAny<T> = 0 extends 1 & T ? true : false;
/** True when neither `T` nor, for functions, its parameters and result are `any`. */
type NoAny<T> =
  IsAny<T> extends true
    ? false
    : T extends (...args: infer A) => infer R
      ? [IsAny<A>, IsAny<Awaited<R>>, ...{ [I in keyof A]-?: IsAny<A[I]> }] extends false[]
        ? true
        : false
      : true;

function holds<T extends true>(): T | undefined {
  return undefined;
}

interface Member {
  readonly name: string;
  score: number;
}

const room = actor({
  createState: (c, input: { title: string }) => {
    holds<NoAny<typeof c>>();
    holds<Equal<typeof c.key, string[]>>();
    // @ts-expect-error state isn't there yet
    c.state;
    return { title: input.title, members: [] as Member[], at: new Date(0) };
  },
  createVars: (c) => {
    holds<Equal<typeof c.state.members, Member[]>>();
    // @ts-expect-error vars aren't there yet
    c.vars;
    return { typing: new Set<string>() };
  },
  db: db(),
  createConnState: (_c, params: { token: string }) => ({ name: params.token, seen: 0 }),
  events: {
    said: event<{ from: string; text: string }>(),
    moved: event<[x: number, y: number]>(),
    list: event<string[]>(),
  },
  onCreate: (c, input) => {
    holds<Equal<typeof input, { title: string }>>();
    holds<Equal<typeof c.state.title, string>>();
    // @ts-expect-error vars come after onCreate
    c.vars;
  },
  onMigrate: (c, isNew) => {
    holds<Equal<typeof isNew, boolean>>();
    holds<Equal<typeof c.state.title, string>>();
  },
  onWake: async (c) => {
    holds<Equal<typeof c.vars.typing, Set<string>>>();
    const rows = await c.db.execute("SELECT 1");
    holds<Equal<(typeof rows)[number][string], string | number | bigint | Uint8Array | null>>();
    const members = await c.db.execute<Member>("SELECT name, score FROM members WHERE name = ?", "a");
    holds<Equal<typeof members, Member[]>>();
    const done = await c.db.transaction(async (tx) => (await tx.execute("SELECT 1")).length);
    holds<Equal<typeof done, number>>();
    // @ts-expect-error dates can't be bound
    await c.db.execute("SELECT ?", new Date());
    const text = await c.kv.get("key");
    holds<Equal<typeof text, string | null>>();
    const binary = await c.kv.list("key", { type: "binary" });
    holds<Equal<typeof binary, [string, Uint8Array][]>>();
    const keys = await c.kv.listRange("a", "b", { keyType: "binary" });
    holds<Equal<typeof keys, [Uint8Array, string][]>>();
    // @ts-expect-error no such type
    await c.kv.get("key", { type: "json" });
  },
  onStateChange: (_c, state) => {
    holds<Equal<typeof state.at, Date>>();
  },
  onBeforeConnect: (_c, params) => {
    holds<Equal<typeof params, { token: string }>>();
  },
  onConnect: (c, conn) => {
    holds<Equal<typeof conn.state, { name: string; seen: number }>>();
    holds<Equal<typeof conn.params, { token: string }>>();
    conn.state.seen += 1;
    conn.send("said", { from: "a", text: "b" });
    // @ts-expect-error no such property
    conn.state.nothing;
    // @ts-expect-error the wrong payload
    conn.send("said", "text");
    holds<Equal<typeof c.conn.state.seen, number>>();
  },
  onBeforeActionResponse: (_c, name, args, output) => {
    holds<Equal<typeof name, string>>();
    holds<Equal<typeof args, unknown[]>>();
    holds<Equal<typeof output, unknown>>();
    return output;
  },
  onWebSocket: (c, websocket, { request }) => {
    holds<Equal<typeof c.conn.state, { name: string; seen: number }>>();
    holds<Equal<typeof request, Request>>();
    websocket.addEventListener("close", (event) => void holds<Equal<typeof event.code, number>>());
    websocket.onmessage = ({ data }) => void holds<Equal<typeof data, string | ArrayBuffer>>();
    // @ts-expect-error not a message
    websocket.send(5);
  },
  run: async (c) => {
    holds<Equal<typeof c.abortSignal, AbortSignal>>();
    c.state.title = "running";
    // @ts-expect-error not a string
    c.state.title = 5;
  },
  actions: {
    say: (c, text: string) => {
      c.broadcast("said", { from: c.conn.state.name, text });
      c.broadcast("moved", 1, 2);
      c.broadcast("list", ["a"]);
      c.broadcastUnconfirmed("moved", 1, 2);
      // @ts-expect-error no such event
      c.broadcast("whispered", 1);
      // @ts-expect-error the wrong payload
      c.broadcast("said", { from: 1, text });
      // @ts-expect-error an argument is missing
      c.broadcast("moved", 1);
      // @ts-expect-error a fixed tuple has no third
      c.broadcast("moved", 1, 2, 3);
      // @ts-expect-error no such property of the state
      c.state.nothing;
      for (const [id, conn] of c.conns) {
        holds<Equal<typeof id, string>>();
        holds<Equal<typeof conn.state.name, string>>();
      }
      return text.length;
    },
    join: async (c, member: Member, position?: number) => {
      c.state.members.splice(position ?? 0, 0, member);
      return c.snapshot().members;
    },
    admin: {
      rename: (c, title: string) => {
        c.state.title = title;
      },
      deep: { count: (c) => c.state.members.length },
    },
  },
});

const plain = actor({
  actions: { ping: () => "pong" as const, any: (c) => c.broadcast("whatever", 1, "two") },
});
const valued = actor({
  state: { count: 0, list: [] as number[] },
  vars: { open: true },
  connState: { n: 1 },
  types: {} as { connParams: { token: string } },
  actions: { all: (c) => [c.state.count, c.vars.open, c.conn.state.n, c.conn.params.token] as const },
});

const registry = setup({ use: { room, plain, valued } });

export async function throughTheClient(client: Client<typeof registry>): Promise<void> {
  const handle = client.room.getOrCreate(["a"], { createWithInput: { title: "t" }, params: { token: "t" } });
  holds<NoAny<typeof handle.say>>();
  holds<NoAny<typeof handle.join>>();
  holds<NoAny<typeof handle.admin.rename>>();
  holds<NoAny<typeof handle.admin.deep.count>>();
  holds<Equal<Awaited<ReturnType<typeof handle.say>>, number>>();
  holds<Equal<Parameters<typeof handle.join>, [member: Member, position?: number | undefined]>>();
  holds<Equal<Awaited<ReturnType<typeof handle.join>>, Member[]>>();
  holds<Equal<Awaited<ReturnType<typeof handle.admin.deep.count>>, number>>();
  await handle.say("text");
  // @ts-expect-error the wrong type
  await handle.say(5);
  // @ts-expect-error an argument is missing
  await handle.say();
  // @ts-expect-error one too many
  await handle.say("a", "b");
  // @ts-expect-error no such action
  await handle.shout("text");
  // @ts-expect-error no such nested action
  await handle.admin.remove();
  // @ts-expect-error no such actor
  client.nobody.getOrCreate();
  // @ts-expect-error the wrong input
  client.room.getOrCreate(["a"], { createWithInput: { title: 5 } });
  // @ts-expect-error the wrong parameters
  client.room.get(["a"], { params: { token: 5 } });
  // @ts-expect-error a key is made of strings
  client.room.get([5]);
  await client.room.create(["a"], { input: { title: "t" } });
  // @ts-expect-error the wrong input
  await client.room.create(["a"], { input: "t" });

  const conn = handle.connect({ token: "t" });
  conn.on("said", (message) => {
    holds<Equal<typeof message, { from: string; text: string }>>();
  });
  conn.on("moved", (x, y) => {
    holds<Equal<[typeof x, typeof y], [number, number]>>();
  });
  conn.on("list", (names) => {
    holds<Equal<typeof names, string[]>>();
  });
  // @ts-expect-error no such event
  conn.on("whispered", () => {});
  // @ts-expect-error the wrong payload
  conn.on("said", (text: string) => text);
  // @ts-expect-error the wrong type
  await conn.say(5);

  holds<Equal<Awaited<ReturnType<ReturnType<typeof client.plain.get>["ping"]>>, "pong">>();
  const all = await client.valued.get("k", { params: { token: "t" } }).all();
  holds<Equal<typeof all, readonly [number, boolean, number, string]>>();
  const anything = client.plain.get().connect();
  anything.on("whatever", (...args) => {
    holds<Equal<typeof args, unknown[]>>();
  });
}

/** The same in a test. */
export async function inATest(t: TestScope): Promise<void> {
  const { client } = await setupTest(t, registry);
  const handle = client.room.getOrCreate(["a"]);
  holds<Equal<Awaited<ReturnType<typeof handle.say>>, number>>();
  // @ts-expect-error no such actor
  client.nobody.getOrCreate();
}

/** The same through `c.client()`. */
actor({
  actions: {
    call: async (c) => {
      const other = c.client<typeof registry>().room.get(["a"]);
      holds<Equal<Awaited<ReturnType<typeof other.say>>, number>>();
      // @ts-expect-error the wrong type
      await other.say(5);
    },
  },
});

type Room = typeof room;
holds<Equal<StateOf<Room>, { title: string; members: Member[]; at: Date }>>();
holds<Equal<ActionContextOf<Room>["state"]["members"], Member[]>>();
holds<Equal<ActorContextOf<Room>["vars"]["typing"], Set<string>>>();
holds<Equal<ConnectContextOf<Room>["conn"]["state"]["seen"], number>>();
holds<Equal<ConnOf<Room>["params"], { token: string }>>();
holds<Equal<RunContextOf<Room>["state"]["title"], string>>();
holds<Equal<WakeContextOf<Room>["state"]["title"], string>>();
holds<Equal<SleepContextOf<Room>["state"]["title"], string>>();
holds<Equal<"vars" extends keyof CreateContextOf<Room> ? true : false, false>>();
holds<Equal<"state" extends keyof CreateStateContextOf<Room> ? true : false, false>>();
holds<Equal<IsAny<StateOf<Room>>, false>>();
holds<NoAny<ActionContextOf<Room>["broadcast"]>>();

/** Code outside of a definition takes its context by name. */
export function helper(c: ActionContextOf<Room>): string {
  // @ts-expect-error not a string
  c.state.title = 5;
  return c.state.title;
}

/** Schedules: names inside a definition, names and arguments outside. */
const clock = actor({
  createState: (c) => {
    void c.schedule.after(1, "tick");
    // @ts-expect-error no such action
    void c.schedule.after(1, "tock");
    return { n: 0 };
  },
  onWake: (c) => {
    void c.schedule.at(0, "group.deep", 1);
    // @ts-expect-error no such group
    void c.schedule.at(0, "groups.deep", 1);
  },
  actions: {
    tick: (c, by: number) => {
      void c.schedule.after(1_000, "tick", by);
      // @ts-expect-error no such action
      void c.schedule.after(1_000, "tack", by);
      c.state.n += by;
      return c.state.n;
    },
    told: (c, _what: string, info?: ScheduledFireInfo) => (info === undefined ? c.state.n : info.firedAt),
    group: { deep: (c, by: number) => c.state.n + by },
  },
});
holds<Equal<StateOf<typeof clock>, { n: number }>>();
const untyped = actor({ actions: { any: (c) => c.schedule.after(1, "any") } });
export const someNames = [clock, untyped];

export async function schedules(c: ActionContextOf<typeof clock>): Promise<void> {
  const schedule: ScheduleOf<typeof clock> = c.schedule;
  await schedule.after(1, "tick", 1);
  await schedule.at(1, "told", "text");
  await schedule.at(1, "group.deep", 1);
  holds<Equal<Awaited<ReturnType<typeof schedule.cancel>>, boolean>>();
  // @ts-expect-error no such action
  await schedule.after(1, "tack", 1);
  // @ts-expect-error the wrong type
  await schedule.after(1, "tick", "1");
  // @ts-expect-error an argument is missing
  await schedule.after(1, "tick");
  // @ts-expect-error a group is no action
  await schedule.after(1, "group", 1);
  // @ts-expect-error the wrong type of a nested one
  await schedule.at(1, "group.deep", "1");
}

/** Every way and order to give the parts infers the same. */
const orders = setup({
  use: {
    a: actor({ createState: (c) => ({ n: c.key.length }), actions: { f: (c) => c.state.n } }),
    b: actor({ actions: { f: (c) => c.state.n }, state: { n: 1 } }),
    c: actor({ createVars: () => ({ n: 1 }), actions: { f: (c) => c.vars.n } }),
    d: actor({ state: { n: 1 }, createConnState: () => ({ n: 1 }), actions: { f: (c) => c.conn.state.n } }),
    e: actor({ state: { n: 1 }, createConnState: (_c) => ({ n: 1 }), actions: { f: (c) => c.conn.state.n } }),
    f: actor({
      state: { n: 1 },
      createConnState: (_c, p: { x: number }) => ({ n: p.x }),
      actions: { f: (c) => c.conn.state.n + c.conn.params.x },
    }),
    g: actor({
      state: { n: 1 },
      actions: {
        f(c) {
          return c.state.n;
        },
      },
    }),
  },
});

// What makes state, vars and connections may stand in any order above what uses them.
const inOrders = {
  h: actor({
    createConnState: (_c, params: { token: string }) => ({ who: params.token }),
    createState: (_c, input: { title: string }) => ({ title: input.title }),
    createVars: (c) => ({ wide: c.state.title.length }),
    actions: { f: (c) => ({ ...c.state, ...c.vars, ...c.conn.state }) },
  }),
  i: actor({
    createVars: () => ({ wide: 1 }),
    onBeforeConnect: (_c, params: { token: string }) => void params.token,
    createConnState: async (_c, params) => ({ who: params.token }),
    createState: async (c, input: { title: string }) => ({ title: input.title + c.key.join() }),
    actions: { f: (c) => ({ ...c.state, ...c.vars, ...c.conn.state }) },
  }),
  j: actor({
    createState: (_c, input: { title: string }) => ({ title: input.title }),
    createConnState: (c, params: { token: string }) => ({ who: params.token + c.state.title }),
    createVars: (c) => ({ wide: c.state.title.length }),
    actions: { f: (c) => ({ ...c.state, ...c.vars, ...c.conn.state }) },
  }),
  k: actor({
    types: {} as { connParams: { token: string } },
    createVars: (_c) => ({ wide: 1 }),
    createConnState: (c, params) => ({ who: params.token.repeat(c.vars.wide) }),
    createState: (_c, input: { title: string }) => ({ title: input.title }),
    actions: { f: (c) => ({ ...c.state, ...c.vars, ...c.conn.state }) },
  }),
};
const inOrder = setup({ use: inOrders });
type InOrders = typeof inOrders;
type Whole<D> = [
  Equal<StateOf<D>, { title: string }>,
  Equal<ConnOf<D>["state"], { who: string }>,
  Equal<ConnOf<D>["params"], { token: string }>,
  Equal<ActorContextOf<D>["vars"], { wide: number }>,
];
holds<Equal<{ [N in keyof InOrders]: Whole<InOrders[N]>[number] }[keyof InOrders], true>>();
export async function wholeThroughTheClient(client: Client<typeof inOrder>): Promise<void> {
  for (const name of ["h", "i", "j", "k"] as const) {
    const handle = client[name].getOrCreate("a", { createWithInput: { title: "t" }, params: { token: "t" } });
    const got = await handle.f();
    holds<Equal<typeof got, { title: string; who: string; wide: number }>>();
  }
}

type Orders = Client<typeof orders>;
type Result<N extends keyof typeof orders.config.use> = ReturnType<ReturnType<Orders[N]["get"]>["f"]>;
holds<
  Equal<{ [N in keyof typeof orders.config.use]: Result<N> }[keyof typeof orders.config.use], Promise<number>>
>();

// Schemas leave the types of actions as they are: inferred from the actions themselves.
const checkedShop = actor({
  types: {} as { connParams: { user: string } },
  state: { orders: [] as string[] },
  connParamsSchema: z.object({ user: z.string() }),
  callerIdentity: (c) => c.conn.params.user,
  actions: {
    order: (c, order: { item: string }, count = 1) => {
      c.state.orders.push(`${count} ${order.item}`);
      return c.state.orders.length;
    },
    exclusive: async (c) => await c.exclusive(() => c.state.orders.length),
  },
  actionInputSchemas: { order: z.tuple([z.object({ item: z.string() })]).rest(z.number()) },
  options: { concurrency: "serial" },
});
const checkedShops = setup({ use: { checkedShop } });
type CheckedShop = ReturnType<Client<typeof checkedShops>["checkedShop"]["get"]>;
holds<Equal<Parameters<CheckedShop["order"]>[0], { item: string }>>();
holds<NoAny<CheckedShop["order"]>>();
holds<Equal<ReturnType<CheckedShop["order"]>, Promise<number>>>();
holds<Equal<ReturnType<CheckedShop["exclusive"]>, Promise<number>>>();

// A schema of parameters types them by itself: what it makes of them inside, what it takes at a client.
const schooled = actor({
  state: { n: 1 },
  connParamsSchema: z.object({ user: z.string(), age: z.string().default("1").transform(Number) }),
  onBeforeConnect: (_c, params) => void holds<Equal<typeof params, { user: string; age: number }>>(),
  createConnState: (_c, params) => ({ who: params.user }),
  onConnect: (c, conn) => {
    holds<Equal<typeof conn.params, { user: string; age: number }>>();
    c.state.n += conn.params.age;
  },
  actions: { who: (c) => `${c.conn.state.who} ${c.conn.params.age}` },
});
const schools = setup({ use: { schooled } });
export function schooledBy(client: Client<typeof schools>): void {
  client.schooled.getOrCreate("a", { params: { user: "u" } }).connect({ user: "u", age: "3" });
  // @ts-expect-error the input of the schema is a text
  client.schooled.getOrCreate("a", { params: { user: "u", age: 3 } });
  // @ts-expect-error no such parameter
  client.schooled.getOrCreate("a", { params: { usr: "u" } });
}

export const refused = [
  actor({
    // @ts-expect-error the hook wants what the schema doesn't make
    connParamsSchema: z.object({ user: z.string() }),
    createConnState: (_c, params: { name: string }) => params.name,
  }),
  // @ts-expect-error not a schema
  actor({ connParamsSchema: { parse: () => 1 } }),
  // @ts-expect-error neither
  actor({ options: { concurrency: "one" } }),
  // @ts-expect-error both of a pair
  actor({ state: { n: 1 }, createState: () => ({ n: 1 }) }),
  // @ts-expect-error both of a pair
  actor({ vars: { n: 1 }, createVars: () => ({ n: 1 }) }),
  // @ts-expect-error an unknown option
  actor({ options: { sleepTimout: 1 } }),
  // @ts-expect-error the wrong type of an option
  actor({ options: { noSleep: 1 } }),
  // @ts-expect-error not a function
  actor({ onWake: 5 }),
  // @ts-expect-error not a definition
  setup({ use: { room: {} as { n: number } & string } }),
  // @ts-expect-error an unknown key
  setup({ use: { plain }, allowedHost: [] }),
];
