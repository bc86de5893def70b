/** What code that runs elsewhere may do beside its own state, and what it can't. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { carriedActor } from "../../src/actor/carried/definition.ts";
import { Guest } from "../../src/guest/guest.ts";
import { MemoryCarrier } from "../../src/ports/memory/carrier.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch, watch } from "../driver/watch.ts";

let held = new Latch();

const other = actor({ actions: { hello: () => "hello", wait: () => held.promise } });
const caller = actor({
  actions: {
    call: (c): Promise<unknown> => c.client().getOrCreate("other", []).action({ name: "hello" }),
    connect: async (c) => {
      const connection = c.client().getOrCreate("other", []).connect();
      return await connection.action({ name: "hello" }).then(() => "went well", codeOf);
    },
    socket: async (c) =>
      await c
        .client()
        .getOrCreate("other", [])
        .webSocket()
        .then(() => "went well", codeOf),
    many: async (c, count: number) => {
      const handle = c.client().getOrCreate("other", []);
      await Promise.all(Array.from({ length: count }, () => handle.action({ name: "wait" })));
    },
  },
});

function behindCarrier(needs: readonly "actors"[]) {
  return carriedActor(
    async ({ env }) => new MemoryCarrier(env, (send) => new Guest({ env, use: { caller }, send })),
    { needs },
  );
}

test("without the need a call to another actor is refused, and the refusal names the option", async () => {
  await using driver = await Driver.start({ caller: behindCarrier([]), other });
  const { code, status, error } = await driver.act("caller", "call");
  expect([code, status]).toEqual(["actor.not_granted", 403]);
  expect(error?.message).toContain('needs: ["actors"]');
  expect(error?.metadata).toEqual({ name: "caller", need: "actors" });
});

test("a need that nobody knows is refused when the definition is made", () => {
  const make = (needs: unknown) => () =>
    Reflect.apply(carriedActor, undefined, [() => Promise.reject(new Error("never")), { needs }]);
  expect(make(["actor"])).toThrow(/needs/);
  expect(make("actors")).toThrow(/needs/);
  expect(make([])).not.toThrow();
});

test("connections to other actors are refused by name", async () => {
  await using driver = await Driver.start({ caller: behindCarrier(["actors"]), other });
  expect((await driver.act("caller", "connect")).output).toBe("actor.not_carried");
  expect((await driver.act("caller", "socket")).output).toBe("client.raw_unsupported");
  expect((await driver.act("caller", "call")).output).toBe("hello");
});

test("so many calls may be open; those past it wait their turn", async () => {
  held = new Latch();
  await using driver = await Driver.start({ caller: behindCarrier(["actors"]), other });
  const many = watch(driver.act("caller", "many", 1_030));
  await driver.world.pass(1_000);
  expect(many.state).toBe("pending");
  held.open();
  await driver.world.pass(3_000);
  expect(many.value?.status).toBe(200);
  const never = new Latch();
  held = never;
  const tooMany = watch(driver.act("caller", "many", 1_030));
  await driver.world.pass(40_000);
  expect(tooMany.value?.code).toBe("actor.overloaded");
});
