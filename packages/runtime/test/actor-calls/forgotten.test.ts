/** Promises that an actor's code forgets: what fails then is a line of the log, and the process lives. */
import { type ActorContext, actor, db, queue, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import type { World } from "../driver/world.ts";

const other = actor({
  actions: {
    refuse: () => {
      throw new Error("not today");
    },
  },
});

const forgetful = actor({
  db: db({ migrations: ["CREATE TABLE orders (id TEXT PRIMARY KEY)"] }),
  queues: { jobs: queue<string>() },
  options: { concurrency: "serial" },
  run: workflow(async () => {}, { workflows: { sale: async () => {} } }),
  actions: {
    forget: (c, what: keyof typeof forgotten) => void forgotten[what](c),
    /** Somebody listens to each of them, in each of the ways. */
    listen: async (c) => {
      let heard = 0;
      const note = () => {
        heard += 1;
      };
      for (const make of Object.values(forgotten)) {
        if (make === forgotten.waitUntil) continue;
        const promise = async () => await make(c);
        await promise().catch(note);
        await Promise.allSettled([make(c)]);
        const direct = make(c);
        if (direct instanceof Promise) await new Promise<void>((done) => direct.then(undefined, done));
      }
      return heard;
    },
  },
});

/** Calls a method of `c` by its path: what is wrong here is so by its types, too. */
function on(c: object, path: string, ...args: readonly unknown[]): Promise<unknown> {
  const names = path.split(".");
  const method = names.pop() ?? "";
  const owner = names.reduce((part: object, name) => Reflect.get(part, name), c);
  return Reflect.apply(Reflect.get(owner, method), owner, args);
}

const at = (c: Pick<ActorContext, "client">) => c.client().getOrCreate("other", ["o"]);

const forgotten = {
  statement: (c: ActorContext) => on(c, "db.execute", "INSERT INTO ordrs VALUES (1)"),
  transaction: (c: ActorContext) => on(c, "db.transaction", () => Promise.reject(new Error("no"))),
  batch: (c: ActorContext) => on(c, "db.batch", [{ sql: "nonsense" }]),
  kv: (c: ActorContext) => on(c, "kv.put", "k".repeat(5000), "x"),
  read: (c: ActorContext) => on(c, "kv.get", "k", { type: "picture" }),
  queue: (c: ActorContext) => on(c, "queue.send", "nobody", 1),
  next: (c: ActorContext) => on(c, "queue.next", { names: ["nobody"] }),
  schedule: (c: ActorContext) => on(c, "schedule.after", 1, "nothing"),
  cron: (c: ActorContext) => on(c, "cron.set", { name: "x", expression: "nonsense", action: "forget" }),
  workflow: (c: ActorContext) => on(c, "workflows.start", "sail", { id: "1" }),
  exclusive: (c: ActorContext) => c.exclusive(() => Promise.reject(new Error("broken"))),
  waitUntil: (c: ActorContext) => c.waitUntil(Promise.reject(new Error("mail was not sent"))),
  keepAwake: (c: ActorContext) => c.keepAwake(Promise.reject(new Error("job failed"))),
  tool: (c: ActorContext) => on(c, "tool", "saw", {}, () => Promise.reject(new Error("blunt"))),
  call: (c: ActorContext) => at(c)["refuse"]?.(),
  typo: (c: ActorContext) => at(c)["nope"]?.(),
  byName: (c: ActorContext) => at(c).action({ name: "refuse" }),
  message: (c: ActorContext) => at(c).send("nobody", 1),
  search: (c: ActorContext) => c.client().get("other", ["nobody"]).resolve(),
  creation: (c: ActorContext) => c.client()["nothing"]?.create(["o"]),
};

const warnings = ({ world }: { readonly world: World }) =>
  world.lines.filter(({ level }) => level === "warn" || level === "error");

test.each(Object.keys(forgotten))("a promise that is forgotten and fails is one line: %s", async (what) => {
  await using driver = await Driver.start({ forgetful, other }, { databases: true });
  const answer = await driver.act("forgetful", "forget", what);
  expect(answer.code).toBe(undefined);
  await expect
    .poll(() => warnings(driver).filter(({ message }) => /nobody awaits it$/.test(message)))
    .toMatchObject([
      {
        level: "warn",
        fields: {
          actor: "forgetful",
          actorId: expect.any(String),
          key: expect.any(Array),
          cause: expect.any(Error),
        },
      },
    ]);
});

test("who listens is told, and the log is not", async () => {
  await using driver = await Driver.start({ forgetful, other }, { databases: true });
  const answer = await driver.act("forgetful", "listen");
  expect(answer).toMatchObject({ output: Object.keys(forgotten).length - 1 });
  await driver.world.idle();
  expect(warnings(driver).filter(({ message }) => /nobody awaits/.test(message))).toEqual([]);
});

test("what runs when it is awaited, as a query of many libraries, is asked once by c.keepAwake and c.waitUntil", async () => {
  let asked = 0;
  const ask = (done: (rows: number) => void) => {
    asked += 1;
    done(asked);
  };
  // biome-ignore lint/suspicious/noThenProperty: that is what such a query is
  const query = { then: ask };
  const given: unknown = query;
  const patient = actor({
    actions: {
      keep: async (c) => await c.keepAwake(given as Promise<number>),
      wait: (c) => c.waitUntil(given as Promise<number>),
    },
  });
  await using driver = await Driver.start({ patient });
  const handle = driver.client().patient.getOrCreate(["a"]);
  expect(await handle.keep()).toBe(1);
  await handle.wait();
  expect(asked).toBe(2);
});
