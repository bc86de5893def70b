/** The actors of the kit. One module for every cell: embedded, in a program that is a host, and bundled for workerd. */
import { UserError } from "@troupe/base";
import { actor, db, event, queue, workflow } from "@troupe/runtime/edge";
import { runCorpus } from "./sql-corpus.ts";

/** Every value that crosses a wire unchanged. */
const everything = () => ({
  big: 12_345_678_901_234_567_890n,
  date: new Date(1_700_000_000_000),
  map: new Map([["a", new Set([1, 2])]]),
  bytes: new Uint8Array([0, 255]),
  none: undefined,
  text: "\0é🐝",
});

export const plain = actor({
  state: { count: 0, wakes: 0 },
  vars: { calls: 0 },
  events: { changed: event<[count: number]>() },
  connState: { said: 0 },
  onWake: (c) => {
    c.state.wakes += 1;
  },
  options: { sleepTimeout: 50 },
  actions: {
    add: (c, by: number) => {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
    life: (c) => [c.state.count, c.state.wakes] as const,
    everything,
    same: (_c, value: unknown) => value,
    fails: (_c, reason: string) => {
      throw new UserError("as asked", { code: reason, metadata: { why: [1, 2] } });
    },
    breaks: () => {
      throw new Error("a secret of the program");
    },
    said: (c) => {
      c.conn.state.said += 1;
      return c.conn.state.said;
    },
    nap: (c) => c.sleep(),
    end: (c) => c.destroy(),
    keep: async (c) => {
      c.state.count = 7;
      await c.saveState({ immediate: true });
      return c.state.count;
    },
    async *items(_c, count: number) {
      for (let item = 1; item <= count; item += 1) yield item;
    },
  },
});

export const timed = actor({
  state: { rung: [] as string[] },
  actions: {
    after: (c, word: string) => c.schedule.after(10, "ring", word),
    every: async (c) => {
      await c.cron.every({ name: "beat", interval: 20, action: "beat", args: [] });
    },
    ring: (c, word: string) => void c.state.rung.push(word),
    beat: async (c) => {
      c.state.rung.push("beat");
      if (c.state.rung.length >= 3) await c.cron.delete("beat");
    },
    rung: (c) => [...c.state.rung],
  },
});

export const shelf = actor({
  actions: {
    put: (c, key: string, text: string) => c.kv.put(key, text),
    all: async (c) => (await c.kv.listPrefix("book:")).length,
    get: (c, key: string) => c.kv.get(key),
  },
});

export const mailer = actor({
  state: { taken: [] as string[] },
  queues: { mails: queue<string, number>() },
  run: async (c) => {
    for await (const message of c.queue.iter({ completable: true })) {
      c.state.taken.push(message.body);
      await message.complete(message.body.length);
    }
  },
  actions: { taken: (c) => [...c.state.taken] },
});

export const ledger = actor({
  state: { bag: new Map<string, unknown>() },
  db: db({
    onMigrate: (own) => own.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER, b BLOB)").then(() => {}),
  }),
  actions: {
    write: async (c, n: bigint, b: Uint8Array) => {
      await c.db.execute("INSERT INTO t VALUES (?, ?)", n, b);
    },
    undo: async (c) => {
      await c.db.transaction(async (tx) => {
        await tx.execute("INSERT INTO t VALUES (0, NULL)");
        throw new UserError("undone", { code: "undone" });
      });
    },
    all: (c) => c.db.execute<{ n: bigint | number; b: Uint8Array }>("SELECT n, b FROM t"),
    wrong: async (c) => {
      await c.db.execute("SELECT nothing FROM nowhere");
    },
    corpus: (c) => runCorpus(c.db),
    poison: async (c) => {
      await c.db.execute("INSERT INTO t VALUES (0, NULL)");
      c.state.bag.set("poison", () => 0);
    },
    batch: async (c, second: string) => {
      const insert = "INSERT INTO t VALUES (?, NULL)";
      return await c.db.batch([
        { sql: insert, args: [7] },
        { sql: second, args: [8] },
        "SELECT count(*) FROM t",
      ]);
    },
  },
});

export const door = actor({
  onRequest: async (_c, request) =>
    new Response(`${request.method} ${await request.text()}`, { status: 201 }),
  onWebSocket: (_c, socket) => {
    socket.onmessage = ({ data }) => socket.send(`heard ${String(data)}`);
  },
  actions: {},
});

export const caller = actor({
  actions: {
    call: (c, key: string): Promise<unknown> =>
      c
        .client()
        .getOrCreate("plain", [key])
        .action({ name: "add", args: [5] }),
    listen: async (c, key: string) => {
      const connection = c.client().getOrCreate("plain", [key]).connect();
      try {
        return await connection.action({ name: "add", args: [1] });
      } finally {
        await connection.dispose();
      }
    },
  },
});

export const order = actor({
  state: { steps: [] as string[] },
  run: workflow(async (ctx) => {
    await ctx.step("first", async (step) => void step.state.steps.push("first"));
    await ctx.sleep("a moment", 10);
    await ctx.step("second", async (step) => void step.state.steps.push("second"));
  }),
  actions: { steps: (c) => [...c.state.steps] },
});

/** By name, as they are registered. */
export const actors = { plain, timed, shelf, mailer, ledger, door, caller, order };
