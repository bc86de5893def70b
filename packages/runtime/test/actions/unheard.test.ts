/** Actions under a relay that nobody listens to: their scopes are made when somebody asks, and are whose they would be. */
import type { Scope } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch } from "../driver/watch.ts";

/** A relay with two actors whose code may be written where it is tested. */
async function grounded(code: (relay: ReturnType<typeof createRelay>) => Record<string, Code>) {
  const relay = createRelay();
  const codes = code(relay);
  const inner = actor({ actions: { do: (c, what: string) => codes[what]?.(c) } });
  const outer = actor({
    actions: {
      do: (c, what: string) => codes[what]?.(c),
      call: async (c, what: string) => [
        c.scope.uuid,
        await c
          .client()
          .getOrCreate("inner")
          .action({ name: "do", args: [what] }),
        c.scope.uuid,
      ],
      blind: (c, what: string) =>
        c
          .client()
          .getOrCreate("inner")
          .action({ name: "do", args: [what] }),
    },
  });
  return { relay, driver: await Driver.start({ inner, outer }, { relay }) };
}

type Code = (c: {
  readonly scope: Scope;
  tool(name: string, args: unknown, fn: () => unknown): Promise<unknown>;
}) => unknown;

const places: Code = ({ scope }) => [scope.name, scope.parent?.name, scope.parentUuid, scope.rootUuid];

test("S5.6 (in part) where nobody listens an action has a scope of its own, and what it calls is below it", async () => {
  const { driver } = await grounded(() => ({ places, twice: ({ scope }) => scope.uuid }));
  await using _ = driver;
  const { output } = await driver.act("outer", "call", "places");
  const [before, [name, parent, parentUuid, rootUuid], behind] = output as [string, string[], string];
  expect([name, parent, parentUuid, rootUuid, behind]).toEqual([
    "inner.do",
    "outer.call",
    before,
    before,
    before,
  ]);
  // The caller has never asked for its own.
  expect((await driver.act("outer", "blind", "places")).output).toEqual([
    ...["inner.do", "outer.blind"],
    ...[expect.any(String), expect.any(String)],
  ]);
  expect((await driver.act("outer", "do", "places")).output).toEqual([
    ...["outer.do", "root", null],
    expect.any(String),
  ]);
});

test("S5.6 (in part) whoever begins to listen in the middle of an action hears of it under the id that its code has seen", async () => {
  const events: string[] = [];
  const { driver, relay } = await grounded((its) => ({
    listens: async (c) => {
      const { scope } = c;
      its.registerSubscriber("late", (event) => {
        const category = event.kind === "scope" ? event.scope_category : "mark";
        events.push(`${category} ${event.name} ${event.parent_uuid === scope.uuid ? "below" : ""}`.trim());
      });
      await c.tool("hammer", {}, () => 1);
      return await its.withScope("own", "function", () => its.getHandle().parent === scope);
    },
  }));
  await using _ = driver;
  expect((await driver.act("inner", "do", "listens")).output).toBe(true);
  await relay.flushSubscribers();
  expect(events).toEqual([
    ...["start hammer below", "end hammer below", "start own below", "end own below"],
    "end inner.do",
  ]);
});

test("a scope ends with its action, also one that is asked for behind it, and where the action's own code has ended it", async () => {
  const latch = new Latch();
  const kept: { scope?: Scope; late?: Promise<Scope> } = {};
  const { driver, relay } = await grounded((its) => ({
    keeps: ({ scope }) => {
      kept.scope = scope;
    },
    leaves: () => {
      kept.late = latch.promise.then(() => its.getHandle());
    },
    pops: async ({ scope }) => {
      await Promise.resolve();
      its.popScope(scope);
      return "popped";
    },
  }));
  await using _ = driver;
  await driver.act("inner", "do", "keeps");
  await driver.act("inner", "do", "leaves");
  latch.open();
  for (const scope of [kept.scope, await kept.late]) {
    expect(scope?.name).toBe("inner.do");
    expect(scope !== undefined && relay.isOpen(scope)).toBe(false);
  }
  expect((await driver.act("inner", "do", "pops")).output).toBe("popped");
  relay.registerSubscriber("listens", () => {});
  expect((await driver.act("inner", "do", "pops")).output).toBe("popped");
});
