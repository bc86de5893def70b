/** Programs that change under a workflow: what doesn't fit its history is refused before it does anything. */
import { actor, Loop, type WorkflowContext, type WorkflowErrorEvent, workflow } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

type Code = (ctx: WorkflowContext) => Promise<unknown>;

let ran: string[] = [];
let events: WorkflowErrorEvent[] = [];

function version(code: Code) {
  const desk = actor({
    options: { sleepTimeout: 1_000, sleepGracePeriod: 100 },
    run: workflow((ctx) => code(ctx as WorkflowContext), { onError: (_c, event) => void events.push(event) }),
    actions: { wake: () => {}, info: async (c) => await c.workflows.get(c.actorId) },
  });
  return { desk };
}

const does = (ctx: WorkflowContext, name: string) =>
  ctx.step(name, async () => {
    ran.push(name);
    return name;
  });

/** The first program: a step, a sleep of a minute, a step. */
const first: Code = async (ctx) => {
  await does(ctx, "charge");
  await ctx.sleep("a minute", 60_000);
  return await does(ctx, "ship");
};

/** Runs the first program up to its sleep, and then another one to its end. */
async function changed(code: Code) {
  ran = [];
  events = [];
  await using driver = await Driver.start(version(first));
  const handle = () => driver.client().desk.getOrCreate("d");
  await handle().wake();
  await driver.world.pass(10);
  await driver.restart(version(code));
  await driver.world.pass(60_000);
  return { info: await handle().info(), ran };
}

test("the same program goes on", async () => {
  const { info } = await changed(first);
  expect([info?.state, ran]).toEqual(["completed", ["charge", "ship"]]);
});

test("another step, another kind, and an end too early are each named with their places, and do nothing", async () => {
  const renamed = await changed(async (ctx) => {
    await does(ctx, "charge the card");
    await ctx.sleep("a minute", 60_000);
  });
  expect(renamed).toMatchObject({
    info: {
      state: "diverged",
      error: { metadata: { code: "history_diverged", location: "charge the card" } },
    },
    ran: ["charge"],
  });
  expect(events).toMatchObject([{ workflow: { error: { metadata: { location: "charge the card" } } } }]);
  const kind = await changed(async (ctx) => {
    await ctx.sleep("charge", 10);
  });
  expect(kind.info?.error?.metadata).toMatchObject({
    location: "charge",
    expected: "a sleep",
    found: "a step",
  });
  const early = await changed((ctx) => does(ctx, "charge"));
  expect(early.info?.error?.metadata).toMatchObject({ location: "a minute", expected: "nothing more" });
  const branches = await changed(async (ctx) => {
    await ctx.join("charge", {});
  });
  expect(branches.info?.state).toBe("diverged");
});

test("an error of a new program, in whichever place, fails no workflow that was further: it goes on with one that fits", async () => {
  const bug = (): never => {
    throw new TypeError("undefined is not a function");
  };
  /** A step in each kind of place, then a minute. `at` names the place that has the bug. */
  const nested =
    (at?: string): Code =>
    async (ctx) => {
      const work = async (place: WorkflowContext, name: string) => {
        if (name === at) bug();
        await does(place, name);
        await place.sleep(`a minute in ${name}`, 60_000);
      };
      if (at === "top") bug();
      await does(ctx, "first");
      await ctx.join("join", { one: { run: (branch) => work(branch, "branch") } });
      await ctx.try("try", (block) => work(block, "block"));
      await ctx.loop({
        name: "loop",
        run: async (round) => {
          await work(round, "round");
          return Loop.break(undefined);
        },
      });
      return "done";
    };
  for (const [at, minutes] of [
    ["top", 0],
    ["branch", 0],
    ["block", 1],
    ["round", 2],
  ] as const) {
    ran = [];
    await using driver = await Driver.start(version(nested()));
    const handle = () => driver.client().desk.getOrCreate("d");
    await handle().wake();
    await driver.world.pass(10 + minutes * 60_000);
    const before = [...ran];
    await driver.restart(version(nested(at)));
    await driver.world.pass(60_000);
    expect(await handle().info()).toMatchObject({
      state: "diverged",
      error: {
        metadata: { code: "history_diverged", expected: "threw TypeError: undefined is not a function" },
      },
    });
    expect(ran).toEqual(before);
    await driver.restart(version(nested()));
    await driver.world.pass(600_000);
    expect(await handle().info()).toMatchObject({ state: "completed", output: "done" });
    expect(ran).toEqual(["first", "branch", "block", "round"]);
  }
});

test("what the code throws when it has come to all that was done is the workflow's own failure, in each life", async () => {
  const { info } = await changed(async (ctx) => {
    await does(ctx, "charge");
    await ctx.sleep("a minute", 60_000);
    throw new TypeError("no");
  });
  expect(info).toMatchObject({ state: "failed", error: { name: "TypeError", message: "no" } });
});

test("a new step before what was done is refused; behind getVersion it is for those that come there first", async () => {
  const inserted = await changed(async (ctx) => {
    await does(ctx, "check");
    return await first(ctx);
  });
  expect(inserted).toMatchObject({ info: { state: "diverged" }, ran: ["charge"] });
  const gated: Code = async (ctx) => {
    if ((await ctx.getVersion("with check", 2)) >= 2) await does(ctx, "check");
    return await first(ctx);
  };
  expect((await changed(gated)).ran).toEqual(["charge", "ship"]);
  ran = [];
  await using driver = await Driver.start(version(gated));
  await driver.client().desk.getOrCreate("new").wake();
  await driver.world.pass(60_010);
  expect(ran).toEqual(["check", "charge", "ship"]);
});

test("what the code has no more stands as removed", async () => {
  const { info } = await changed(async (ctx) => {
    await ctx.removed("charge", "step");
    await ctx.sleep("a minute", 60_000);
    return await does(ctx, "ship");
  });
  expect([info?.state, ran]).toEqual(["completed", ["charge", "ship"]]);
  const wrong = await changed((ctx) => ctx.removed("charge", "sleep"));
  expect(wrong.info).toMatchObject({ state: "diverged", error: { metadata: { location: "charge" } } });
});

test("a program that fits again goes on where the workflow was", async () => {
  ran = [];
  await using driver = await Driver.start(version(first));
  const handle = () => driver.client().desk.getOrCreate("d");
  await handle().wake();
  await driver.world.pass(10);
  await driver.restart(version((ctx) => does(ctx, "wrong")));
  await driver.world.pass(70_000);
  expect(await handle().info()).toMatchObject({ state: "diverged" });
  await driver.restart(version(first));
  await driver.world.pass(300_000);
  expect(await handle().info()).toMatchObject({ state: "completed", output: "ship" });
  expect(ran).toEqual(["charge", "ship"]);
});

test("each name is used once, one thing goes on at a time, and names are names", async () => {
  const codeOf = async (code: Code) => {
    await using driver = await Driver.start(version(code));
    const handle = driver.client().desk.getOrCreate("d");
    await handle.wake();
    await driver.world.pass(10);
    return (await handle.info())?.error?.metadata?.["code"];
  };
  ran = [];
  const twice: Code = async (ctx) => {
    await does(ctx, "a");
    await does(ctx, "a");
  };
  expect(await codeOf(twice)).toBe("duplicate_name");
  expect(ran).toEqual(["a"]);
  const unawaited: Code = async (ctx) => {
    void does(ctx, "a");
    await does(ctx, "b");
  };
  expect(await codeOf(unawaited)).toBe("entry_in_progress");
  expect(await codeOf((ctx) => does(ctx, ""))).toBe("invalid_name");
  expect(await codeOf((ctx) => ctx.getVersion("v", 0))).toBe("invalid_option");
  expect(await codeOf((ctx) => ctx.sleep("s", Number.NaN))).toBe("invalid_option");
  expect(await codeOf((ctx) => ctx.removed("s", "nothing" as never))).toBe("invalid_option");
});
