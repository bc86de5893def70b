/** The kit's actor in TypeScript, for a module, an isolate and a worker: it keeps things wherever an actor can. */
import { actor, event, queue, TroupeError, UserError } from "troupe";
import { type Database, db } from "troupe/db";

/** What a connection says of itself. */
interface Visit {
  readonly name?: string;
}

/** What is known of whoever is connected: the name is empty where it said none. */
interface Visitor {
  readonly name: string;
  visits: number;
  /** Of a raw socket. */
  path?: string;
}

/** What keeps it awake, by actor. */
const held = new Map<string, () => void>();

async function note(notes: Pick<Database, "execute">, said: string): Promise<number | undefined> {
  await notes.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, said TEXT)");
  const [row] = await notes.execute<{ id: number }>("INSERT INTO notes (said) VALUES (?) RETURNING id", said);
  return row?.id;
}

/** The code that it fails with; null: it doesn't. */
async function codeOf(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    return TroupeError.is(error) ? error.code : String(error);
  }
}

const keeper = actor({
  types: {} as { readonly connParams: Visit | undefined; readonly connState: Visitor },
  state: { wakes: 0, comings: "" },
  events: {
    whispered: event<string>(),
    secret: event<string>({
      canSubscribe: (c) => {
        if ((c.conn.params as Visit | undefined)?.name === "ann") return true;
        throw new UserError("that isn't for you", { code: "not_for_you" });
      },
    }),
  },
  queues: {
    jobs: queue<string, string>(),
    inbox: queue<unknown, unknown>(),
    trials: queue<string>({ maxAttempts: 2, retryDelay: 1 }),
  },
  db: db(),
  onWake: (c) => {
    c.state.wakes += 1;
  },
  // A call without a connection has one for as long as it lasts, and no name.
  createConnState: (_c, params) => ({ name: params?.name ?? "", visits: 0 }),
  onBeforeConnect: (_c, params) => {
    if (params?.name === "nobody") throw new UserError("you aren't let in", { code: "not_you" });
  },
  onConnect: (c, conn) => {
    const { name } = conn.state;
    if (name === "bad") throw new UserError("it goes at once", { code: "bad" });
    if (name === "") return;
    c.state.comings += `+${name} `;
    conn.send("whispered", `welcome ${name}`);
  },
  onDisconnect: async (c, conn) => {
    const { name, path } = conn.state;
    if (name !== "") c.state.comings += `-${name} `;
    if (path !== undefined) await c.kv.put("gone", path);
  },
  /** Fails with the first delivery of what says so. */
  run: async (c) => {
    for await (const message of c.queue.iter({ names: ["jobs", "trials"], completable: true })) {
      if (message.name === "trials") {
        await c.kv.put("tried", String(message.attempts));
        await message.retry();
        continue;
      }
      if (message.body === "fail once" && message.attempts === 1) {
        await message.retry({ delay: 0 });
        continue;
      }
      await c.kv.put("done", `${(await c.kv.get("done")) ?? ""}${message.body},`);
      await message.complete(`did ${message.body}`);
    }
  },
  /** Says what it is told again, and ends when it is told "bye". */
  onWebSocket: (c, socket, { request }) => {
    // It is called again when the actor wakes.
    const visitor = c.conn.state;
    if (visitor.path === undefined) socket.send("welcome");
    // An isolate has no URL.
    visitor.path = `/${request.url.split("/").slice(3).join("/")}`;
    socket.addEventListener("message", async ({ data }) => {
      if (data === "fail") throw new UserError("it was told to fail", { code: "told_to" });
      if (data === "bye") return socket.close(4000, "bye");
      if (typeof data !== "string") return socket.send(data);
      if (data.startsWith("mark")) {
        visitor.visits += 1;
        return socket.send(`${data} ${visitor.path} ${visitor.visits} ${c.state.wakes}`);
      }
      await c.kv.put("heard", data);
      socket.send(`${data}!`);
    });
  },
  /** Answers with the request, or with as much as is asked for. */
  onRequest: async (_c, request) => {
    if (request.url.endsWith("/refused")) throw new UserError("not this one", { code: "refused" });
    if (request.url.endsWith("/large")) return new Response("x".repeat(200_000));
    const body = `${request.method} ${await request.text()}`;
    return new Response(body, { status: 201, headers: { "x-kept": "yes" } });
  },
  actions: {
    put: (c, key: string, value: string) => c.kv.put(key, value),
    get: (c, key: string) => (key === "comings" ? c.state.comings : c.kv.get(key)),
    delete: (c, key: string) => c.kv.delete(key),
    save: async (c, key: string, value: string) => {
      await c.kv.put(key, value);
      await c.saveState({ immediate: true });
    },
    keys: async (c, start: string) => (await c.kv.listRange(start, "~", { limit: 100 })).map(([key]) => key),
    note: (c, said: string) => note(c.db, said),
    /** Both, or neither. */
    noteBoth: (c, one: string, two: string) =>
      c.db.transaction(async (notes) => {
        await note(notes, one);
        if (two === "") throw new UserError("there is nothing to note", { code: "nothing_said" });
        return await note(notes, two);
      }),
    notes: (c) => c.db.execute("SELECT id, said FROM notes ORDER BY id"),
    wrong: (c) => codeOf(c.db.execute("NO SQL")),
    tell: async (c, whom: string, key: string, value: string) => {
      await c
        .client()
        .getOrCreate("keeper", [whom])
        .action({ name: "put", args: [key, value] });
      return await c
        .client()
        .get("keeper", [whom])
        .action({ name: "get", args: [key] });
    },
    tellNobody: (c) =>
      c
        .client()
        .get("keeper", ["nobody"])
        .action({ name: "get", args: ["a"] }),
    who: (c) => [c.name, c.key, c.actorId],
    scope: (c) => JSON.stringify({ parent_uuid: c.scope.uuid }),
    marks: (c, n: number) => {
      c.mark("seen", { data: { n } });
      c.metric("size", [{ name: "bytes", kind: "gauge", valueType: "u64", value: n }]);
    },
    whisper: (c, said: string) => c.conn.send("whispered", said),
    tellSecret: (c, said: string) => c.broadcast("secret", said),
    visits: (c) => {
      const visitor = c.conn.state;
      if (visitor.name === "") return null;
      visitor.visits += 1;
      return [visitor.name, visitor.visits];
    },
    here: (c) =>
      [...c.conns.values()]
        .map(({ state }) => state.name)
        .filter((name) => name !== "")
        .toSorted(),
    sockets: (c) => [...c.conns.values()].flatMap(({ state }) => state.path ?? []).toSorted(),
    leave: (c) => c.conn.disconnect("enough"),
    sleep: (c) => c.sleep(),
    destroy: (c) => c.destroy(),
    take: async (c, timeout: number) => (await c.queue.next({ names: ["inbox"], timeout }))?.body ?? null,
    complete: async (c, reply: unknown) => {
      const message = await c.queue.tryNext({ names: ["inbox"], completable: true });
      await message?.complete(reply);
      return message?.body ?? null;
    },
    giveUp: async (c) => {
      const message = await c.queue.tryNext({ names: ["inbox"], completable: true });
      await message?.retry({ delay: 0 });
      throw new UserError("it had enough", { code: "gave_up" });
    },
    sendInbox: async (c, body: unknown) => void (await c.queue.send("inbox", body)),
    later: (c, delayMs: number, key: string, value: string) => c.schedule.after(delayMs, "put", key, value),
    laterUnknown: (c) => c.schedule.after(1, "nothing" as "put"),
    scheduled: async (c) => (await c.schedule.list()).map(({ action }) => action),
    cancel: (c, id: string) => c.schedule.cancel(id),
    tick: async (c) => c.kv.put("ticks", `${(await c.kv.get("ticks")) ?? ""}x`),
    every: (c, name: string, interval: number) => c.cron.every({ name, interval, action: "tick" }),
    cron: (c, name: string, expression: string) => c.cron.set({ name, expression, action: "tick" }),
    jobs: async (c) => (await c.cron.list()).map(({ name }) => name).toSorted(),
    stopJob: (c, name: string) => c.cron.delete(name),
    async *count(c, upto: number) {
      for (let number = 1; number <= upto; number += 1) {
        await c.kv.put("counted", String(number));
        yield number;
      }
    },
    async *countAndFail(_c, upto: number) {
      for (let number = 1; number <= upto; number += 1) yield number;
      throw new UserError("that was enough", { code: "enough" });
    },
    wakes: (c) => c.state.wakes,
    hold: (c) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(c.actorId, resolve);
      void c.keepAwake(promise);
      return null;
    },
    letGo: (c) => held.get(c.actorId)?.(),
    /** Waits until nobody waits for it. */
    watch: async (c, name: string) => {
      await c
        .client()
        .getOrCreate("keeper", ["log"])
        .action({ name: "put", args: [name, "watches"] });
      const code = await codeOf(c.queue.next({ names: ["inbox"], signal: c.abortSignal }));
      await c.kv.put("aborted", `${code} ${c.abortSignal.aborted}`);
    },
  },
});

export default keeper;
