/** What arguments and connection parameters must be: schemas of any library, answering at once or later. */
import { limits } from "@troupe/protocol";
import { actor, type StandardSchema } from "@troupe/runtime";
import { expect, test } from "vitest";
import { z } from "zod";
import { Driver } from "../driver/driver.ts";
import { rejection } from "../driver/watch.ts";

/** A list with one number in it, by hand; each number is doubled. */
const doubled: StandardSchema<readonly [number]> = {
  "~standard": {
    version: 1,
    vendor: "by-hand",
    validate: (value) => {
      const [first] = Array.isArray(value) ? value : [];
      if (typeof first === "number") return { value: [first * 2] };
      return { issues: [{ message: "not a number", path: [{ key: 0 }] }] };
    },
  },
};

/** The same, but only later. */
const later: StandardSchema = {
  "~standard": {
    version: 1,
    vendor: "by-hand",
    validate: async (value) => {
      await Promise.resolve();
      return await doubled["~standard"].validate(value);
    },
  },
};

const broken: StandardSchema = {
  "~standard": {
    version: 1,
    vendor: "by-hand",
    validate: () => {
      throw new TypeError("the schema itself is wrong");
    },
  },
};

const Order = z.tuple([z.object({ item: z.string(), count: z.number().int().min(1).default(1) })]);

const shop = actor({
  state: { orders: [] as { item: string; count: number }[], ran: 0 },
  actions: {
    order: (c, order: { item: string; count: number }) => {
      c.state.orders.push(order);
      return c.state.orders.length;
    },
    double: (c, n: number) => {
      c.state.ran += 1;
      return n;
    },
    doubleLater: (_c, n: number) => n,
    broken: () => "never",
    admin: { reset: (_c, sure: string) => sure },
    free: (_c, ...args: unknown[]) => args,
    look: (c) => ({ orders: c.state.orders.map((order) => ({ ...order })), ran: c.state.ran }),
    plan: async (c) => {
      await c.schedule.after(0, "double", "no number");
    },
  },
  actionInputSchemas: {
    order: Order,
    double: doubled,
    doubleLater: later,
    broken,
    admin: { reset: z.tuple([z.literal("sure")]) },
  },
});

test("arguments that don't fit are refused with what is wrong and where, and nothing runs", async () => {
  await using driver = await Driver.start({ shop });
  expect(await driver.act("shop", "order", { item: 5, count: 0.5 })).toMatchObject({
    status: 400,
    code: "actor.validation_error",
    error: {
      message: "Invalid action `order` arguments",
      retryable: false,
      metadata: {
        issues: [
          { path: [0, "item"], message: expect.stringContaining("string") },
          { path: [0, "count"], message: expect.stringContaining("int") },
        ],
      },
    },
  });
  const { error } = await driver.act("shop", "double", "x");
  expect(error?.metadata).toEqual({ issues: [{ path: [0], message: "not a number" }] });
  expect((await driver.act("shop", "doubleLater", "x")).code).toBe("actor.validation_error");
  expect((await driver.act("shop", "look")).output).toEqual({ orders: [], ran: 0 });
});

test("the action gets what the schema makes of its arguments, by every door", async () => {
  await using driver = await Driver.start({ shop });
  await using client = driver.client();
  const handle = client.shop.getOrCreate();
  expect((await driver.act("shop", "order", { item: "tea" })).output).toBe(1);
  expect((await driver.act("shop", "look")).output).toMatchObject({ orders: [{ item: "tea", count: 1 }] });
  expect(await handle.double(4)).toBe(8);
  expect(await handle.doubleLater(4)).toBe(8);
  expect(await driver.local().shop.getOrCreate().double(4)).toBe(8);
  const connection = handle.connect();
  expect([await connection.double(5), await connection.doubleLater(5)]).toEqual([10, 10]);
  expect(await rejection(connection.admin.reset("maybe"))).toBe("actor.validation_error");
  expect(await connection.admin.reset("sure")).toBe("sure");
  expect(await handle.free("any", 1)).toEqual(["any", 1]);
});

test("a schema that throws is an error of the call", async () => {
  await using driver = await Driver.start({ shop });
  expect(await driver.act("shop", "broken")).toMatchObject({ status: 500, code: "internal.error" });
});

test("what an actor schedules for itself isn't checked", async () => {
  await using driver = await Driver.start({ shop });
  await driver.act("shop", "plan");
  await driver.world.pass(10);
  expect((await driver.act("shop", "look")).output).toMatchObject({ ran: 1 });
});

test("of more issues than may be told, the first ones and how many more there are", async () => {
  const many = limits.validationIssues + 3;
  const picky = actor({
    actions: { act: (_c, ..._all: number[]) => 1 },
    actionInputSchemas: { act: z.array(z.number()) },
  });
  await using driver = await Driver.start({ picky });
  const { error } = await driver.act("picky", "act", ...Array.from({ length: many }, () => "x"));
  const told = error?.metadata as { issues: unknown[]; more: number } | undefined;
  expect([told?.issues.length, told?.more]).toEqual([limits.validationIssues, 3]);
});

for (const kind of ["at once", "later"] as const) {
  const schema = z.object({ user: z.string().transform((name) => name.toUpperCase()) });
  const connParamsSchema: StandardSchema<unknown, { user: string }> =
    kind === "at once"
      ? schema
      : {
          "~standard": {
            version: 1,
            vendor: "by-hand",
            validate: async (value) => await schema["~standard"].validate(value),
          },
        };
  const types = {} as { connParams: { user: string } };
  const hooked: string[] = [];
  const open = actor({ types, connParamsSchema, actions: { who: (c) => c.conn.params.user } });
  const guarded = actor({
    types,
    connParamsSchema,
    onBeforeConnect: (_c, params) => void hooked.push(params.user),
    actions: { who: (c) => c.conn.params.user },
  });

  test(`connection parameters are checked ${kind}, before any hook, for calls and connections`, async () => {
    await using driver = await Driver.start({ open, guarded });
    await using client = driver.client();
    hooked.length = 0;
    for (const name of ["open", "guarded"] as const) {
      const ann = client[name].getOrCreate([], { params: { user: "ann" } });
      expect([await ann.who(), await ann.connect().who()]).toEqual(["ANN", "ANN"]);
      const wrong = { params: { user: 5 } };
      expect(await driver.http("POST", `/actor/${name}/action/who`, wrong)).toMatchObject({
        code: "actor.validation_error",
        error: { message: "Invalid connection params", metadata: { issues: [{ path: ["user"] }] } },
      });
      const socket = driver.socket(`/actor/${name}/connect`).hello(wrong);
      await driver.world.idle();
      expect(socket.story).toEqual(["refusal actor.validation_error"]);
    }
    expect(hooked).toEqual(["ANN", "ANN"]);
  });
}
