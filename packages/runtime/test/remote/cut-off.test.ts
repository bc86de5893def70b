/** A host that is cut off from its engine: nothing begins there by itself, for the actor may be somebody else's by now. */
import { actor, queue, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import type { MemoryLink } from "../../src/ports/memory/transport.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { startHost } from "./host.ts";

/** What ran on hosts, in the order in which it began. */
let ran: string[] = [];

/** Code of its own that goes on when the test says so: what it asks for begins nothing. */
let gate = Promise.withResolvers<void>();

const busy = actor({
  state: { rung: 0 },
  queues: { jobs: queue<string>() },
  run: async (c) => {
    ran.push("run");
    for await (const { body } of c.queue.iter()) ran.push(`took ${body}`);
  },
  actions: {
    remind: async (c, delayMs: number) => {
      await c.schedule.after(delayMs, "ring");
    },
    beat: async (c, interval: number) => {
      await c.cron.every({ name: "beat", interval, action: "ring", args: [] });
    },
    ring: (c) => {
      c.state.rung += 1;
      ran.push("rang");
    },
    rung: (c) => c.state.rung,
    later: (c) => {
      void c.keepAwake(gate.promise.then(() => c.queue.send("jobs", "late")));
    },
  },
});

const flow = actor({
  run: workflow(async () => {}, {
    workflows: {
      two: async (ctx, delayMs: number) => {
        await ctx.step("first", async () => void ran.push("first"));
        await ctx.sleep("between", delayMs);
        await ctx.step("second", async () => void ran.push("second"));
      },
    },
  }),
  actions: {
    begin: async (c, delayMs: number) => {
      await c.workflows.start("two", { input: delayMs });
    },
  },
});

async function engine() {
  ran = [];
  gate = Promise.withResolvers();
  const use = { busy: remoteActor<typeof busy>(), flow: remoteActor<typeof flow>() };
  const driver = await Driver.start(use, { hostToken: "secret" });
  const hosts = () => driver.runtime.hosts;
  const host = () => startHost({ world: driver.world, hosts, use: { busy, flow } });
  const first = host();
  await driver.world.idle();
  return { driver, hosts, host, ...first };
}

/** The host hears nothing any more, and nothing that it says arrives; it isn't told so. */
function cut(link: MemoryLink | undefined): void {
  link?.attach({ message: () => {}, closed: () => {} });
  if (link !== undefined) link.send = () => {};
}

test("a life whose link is lost fires no schedule, takes no message and begins no step; when it is taken up it does, once", async () => {
  const { driver, hosts, links } = await engine();
  await using _ = driver;
  for (const [action, argument] of [
    ["remind", 300],
    ["beat", 700],
    ["later", 0],
  ] as const)
    await driver.act("busy", action, argument);
  await driver.act("flow", "begin", 300);
  await driver.world.until(() => ran.includes("first"));
  expect(ran).toEqual(["run", "first"]);
  hosts().accept = () => {
    throw new Error("connection refused");
  };
  links[0]?.break();
  await driver.world.pass(100);
  gate.resolve();
  await driver.world.pass(900);
  expect(ran).toEqual(["run", "first"]);
  Reflect.deleteProperty(hosts(), "accept");
  await driver.world.pass(200);
  expect(ran.toSorted()).toEqual(["first", "rang", "rang", "run", "second", "took late"]);
  expect(await driver.act("busy", "rung")).toMatchObject({ output: 2 });
});

test("a life that is cut off and doesn't know it begins nothing of what was never stored, and where it was given up all begins elsewhere", async () => {
  const { driver, links, host, client } = await engine();
  await using _ = driver;
  await driver.act("busy", "remind", 3_900);
  await driver.act("busy", "later", 0);
  await driver.act("flow", "begin", 3_900);
  await driver.world.until(() => ran.includes("first"));
  await driver.world.idle();
  cut(links[0]);
  await driver.world.pass(3_800);
  // Past the two beats that may be missed: what its own code puts into its queue stays there.
  gate.resolve();
  await driver.world.pass(50);
  expect([client.size, ran]).toEqual([2, ["run", "first"]]);
  host();
  await driver.world.pass(1_000);
  // Each began once, and not here: the message was never stored.
  expect(ran.toSorted()).toEqual(["first", "rang", "run", "run", "second"]);
  await driver.world.pass(5_000);
  expect([ran.length, client.size]).toEqual([5, 0]);
});

test("an engine that takes a host and gives it up at once is asked less and less often; one that a session lasted with, at once", async () => {
  const { driver, hosts, host, client } = await engine();
  await using _ = driver;
  client.close();
  const { links } = host();
  await driver.world.pass(10_000);
  expect(links.length).toBe(1);
  const { accept } = hosts();
  hosts().accept = (link) => {
    accept.call(hosts(), link);
    driver.world.timers.set(() => hosts().close(), 1);
  };
  links[0]?.break();
  await driver.world.pass(60_000);
  const asked = links.length;
  expect(asked).toBeLessThan(30);
  Reflect.deleteProperty(hosts(), "accept");
  await driver.world.pass(10_000);
  const lasting = links.length;
  expect(lasting - asked).toBeLessThanOrEqual(1);
  links.at(-1)?.break();
  await driver.world.pass(100);
  expect(links.length - lasting).toBe(1);
});
