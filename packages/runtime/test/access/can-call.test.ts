/** Who may call which action: asked at every way in, behind the connect hooks, before anything of the action. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { z } from "zod";
import { Driver } from "../driver/driver.ts";
import { codeOf, rejection } from "../driver/watch.ts";

/** As a program without types gives it. */
const given = <T>(value: unknown): T => value as T;

interface Reader {
  readonly role: string;
}

const page = actor({
  state: { text: "", edits: 0, ticks: 0, asked: [] as string[] },
  createConnState: (_c, params: Reader | undefined) => ({ role: params?.role ?? "nobody" }),
  canCall: {
    write: (c) => c.conn.state.role === "writer",
    admin: async (c, action) => {
      c.state.asked.push(action);
      await c.saveState({ immediate: true });
      return c.conn.state.role === "admin";
    },
    "admin.open": () => true,
    tick: "internal",
    odd: given<() => boolean>(() => "yes"),
    broken: () => {
      throw new TypeError("the guard itself is wrong");
    },
  },
  actionInputSchemas: { write: z.tuple([z.string().min(1)]) },
  actions: {
    read: (c) => c.snapshot(),
    write: (c, text: string) => {
      c.state.text = text;
      c.state.edits += 1;
      return c.state.edits;
    },
    admin: {
      clear: (c) => {
        c.state.text = "";
      },
      open: () => "open",
    },
    tick: (c) => {
      c.state.ticks += 1;
    },
    tickSoon: (c) => c.schedule.after(1_000, "tick"),
    odd: () => "never",
    broken: () => "never",
  },
});

/** Without connect hooks, as most actors. */
const plain = actor({
  state: { calls: 0 },
  canCall: { count: (c) => c.conn.params === "friend", tick: "internal" },
  actions: { count: (c) => (c.state.calls += 1), tick: () => "ticked", calls: (c) => c.state.calls },
});

const other = actor({
  actions: {
    tick: (c, name: string) => c.client().getOrCreate(name).action({ name: "tick" }),
    writePage: (c, role: string) =>
      c
        .client()
        .getOrCreate("page", [], { params: { role } })
        .action({ name: "write", args: ["by another"] }),
  },
});

const use = { page, plain, other };

test("who may call, may; who may not gets auth.forbidden, and nothing ran", async () => {
  await using driver = await Driver.start(use);
  const as = (role: string) => driver.client().getOrCreate("page", [], { params: { role } });
  expect(await as("writer").action({ name: "write", args: ["one"] })).toBe(1);
  await expect(as("reader").action({ name: "write", args: ["two"] })).rejects.toMatchObject({
    group: "auth",
    code: "forbidden",
    metadata: { action: "write" },
    retryable: false,
  });
  const { status, code } = await driver.act("page", "write", "three");
  expect([status, code]).toEqual([403, "auth.forbidden"]);
  const connection = as("reader").connect();
  expect(await rejection(connection.action({ name: "write", args: ["four"] }))).toBe("auth.forbidden");
  const writer = as("writer").connect();
  expect(await writer.action({ name: "write", args: ["five"] })).toBe(2);
  expect(await as("reader").action({ name: "read" })).toMatchObject({ text: "five", edits: 2 });
});

test("whoever may not call learns nothing of what its arguments must be, nor of what is kept under a key", async () => {
  await using driver = await Driver.start(use);
  const reader = driver.client().getOrCreate("page", [], { params: { role: "reader" } });
  expect(await rejection(reader.action({ name: "write", args: [] }))).toBe("auth.forbidden");
  const writer = driver.client().getOrCreate("page", [], { params: { role: "writer" } });
  expect(await rejection(writer.action({ name: "write", args: [] }))).toBe("actor.validation_error");
  const keyed = { name: "write", args: ["once"], idempotencyKey: "k" };
  expect(await writer.action(keyed)).toBe(1);
  expect(await rejection(reader.action(keyed))).toBe("auth.forbidden");
  expect(await writer.action(keyed)).toBe(1);
});

test("a group's rule is for all its actions, but for those with one of their own; a rule may ask and wait", async () => {
  await using driver = await Driver.start(use);
  const as = (role: string) => driver.client().getOrCreate("page", [], { params: { role } }).connect();
  expect(await rejection(as("writer").action({ name: "admin.clear" }))).toBe("auth.forbidden");
  expect(await as("writer").action({ name: "admin.open" })).toBe("open");
  await as("admin").action({ name: "admin.clear" });
  expect(await as("admin").action({ name: "read" })).toMatchObject({ asked: ["admin.clear", "admin.clear"] });
});

test("an internal action is called by other actors and by the actor's own schedule, never by a client", async () => {
  await using driver = await Driver.start(use);
  for (const name of ["page", "plain"]) {
    const handle = driver.client().getOrCreate(name);
    expect(await rejection(handle.action({ name: "tick" }))).toBe("auth.forbidden");
    expect(await rejection(handle.connect().action({ name: "tick" }))).toBe("auth.forbidden");
    expect(await rejection(driver.local().getOrCreate(name).action({ name: "tick" }))).toBe("auth.forbidden");
  }
  const actors = driver.client().getOrCreate("other");
  await actors.action({ name: "tick", args: ["page"] });
  expect(await actors.action({ name: "tick", args: ["plain"] })).toBe("ticked");
  await driver.client().getOrCreate("page").action({ name: "tickSoon" });
  await driver.world.pass(1_000);
  expect(await driver.client().getOrCreate("page").action({ name: "read" })).toMatchObject({ ticks: 2 });
});

test("an actor that calls another one is asked like anybody", async () => {
  await using driver = await Driver.start(use);
  const actors = driver.client().getOrCreate("other");
  expect(await rejection(actors.action({ name: "writePage", args: ["reader"] }))).toBe("auth.forbidden");
  expect(await actors.action({ name: "writePage", args: ["writer"] })).toBe(1);
});

test("a rule without connect hooks sees the parameters of each call", async () => {
  await using driver = await Driver.start(use);
  const friend = driver.client().getOrCreate("plain", [], { params: "friend" });
  expect(await friend.action({ name: "count" })).toBe(1);
  expect(await friend.connect().action({ name: "count" })).toBe(2);
  expect(await rejection(driver.client().getOrCreate("plain").action({ name: "count" }))).toBe(
    "auth.forbidden",
  );
  expect(await friend.action({ name: "calls" })).toBe(2);
});

test("a rule that is wrong lets nobody in", async () => {
  await using driver = await Driver.start(use);
  const handle = driver.client().getOrCreate("page");
  expect(await rejection(handle.action({ name: "odd" }))).toBe("actor.invalid_guard");
  expect(await rejection(handle.action({ name: "broken" }))).toBe("internal.error");
});

test("a rule that never answers refuses when its time is over", async () => {
  const silent = actor({
    canCall: { act: () => new Promise<boolean>(() => {}) },
    actions: { act: () => "never" },
  });
  await using driver = await Driver.start({ silent });
  const refused = rejection(driver.client().getOrCreate("silent").action({ name: "act" }));
  await driver.world.pass(5_000);
  expect(await refused).toBe("actor.hook_timed_out");
});

test.each([
  ["an action that isn't there", { raed: () => true }, "config.unknown_key"],
  ["something else than a rule", { read: "everybody" }, "config.invalid_option"],
  ["two rules for one", { a: { b: () => true }, "a.b": () => false }, "config.both_given"],
])("%s is refused when the actor is defined", (_what, canCall, code) => {
  const actions = { read: () => 1, a: { b: () => 2 } };
  let thrown: unknown;
  try {
    Reflect.apply(actor, undefined, [{ canCall, actions }]);
  } catch (error) {
    thrown = error;
  }
  expect(codeOf(thrown)).toBe(code);
});
