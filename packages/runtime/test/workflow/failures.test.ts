/** Steps that fail: attempts, what ends them, and what the workflow's code is told. */
import {
  type ActorWorkflows,
  actor,
  CriticalError,
  RollbackError,
  type WorkflowContext,
  type WorkflowErrorEvent,
  workflow,
} from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { codeOf, Latch } from "../driver/watch.ts";

let ran = 0;
let events: WorkflowErrorEvent[] = [];
let gate = new Latch();

type Code = (ctx: WorkflowContext, input: unknown) => Promise<unknown>;

/** An actor whose workflows are started by name, and whose own does nothing. */
function shop(workflows: Record<string, Code>) {
  ran = 0;
  events = [];
  gate = new Latch();
  return actor({
    state: { log: [] as string[] },
    options: { sleepTimeout: 1_000, sleepGracePeriod: 100 },
    run: workflow(async () => {}, { workflows, onError: (_c, event) => void events.push(event) }),
    actions: {
      log: (c) => c.state.log,
      start: async (c, name: string, input?: unknown) => await c.workflows.start(name, { id: name, input }),
      info: async (c, name: string) => await c.workflows.get(name),
      result: async (c, name: string) => await c.workflows.result(name).catch(codeOf),
    },
  });
}

/** Runs one workflow to its end; how it ended. */
async function runs(code: Code): Promise<Awaited<ReturnType<ActorWorkflows["get"]>>> {
  await using driver = await Driver.start({ shop: shop({ one: code }) });
  const handle = driver.client().shop.getOrCreate("s");
  await handle.start("one");
  await driver.world.pass(60_000);
  return await handle.info("one");
}

const fails = async (): Promise<never> => {
  ran += 1;
  throw new Error(`no. ${ran}`);
};

test("a step that fails is tried again, later and later, over the actor's sleep and a crash; what it wrote stays", async () => {
  await using driver = await Driver.start({
    shop: shop({
      one: (ctx) =>
        ctx.step({
          name: "flaky",
          maxRetries: 3,
          retryBackoffBase: 2_000,
          run: async (step) => {
            ran += 1;
            (step.state as { log: string[] }).log.push(`attempt ${ran}`);
            if (ran < 3) throw new Error("not yet");
            return ran;
          },
        }),
    }),
  });
  const handle = () => driver.client().shop.getOrCreate("s");
  await handle().start("one");
  await driver.world.idle();
  expect(ran).toBe(1);
  await driver.world.pass(1_500);
  expect(driver.runtime.host.size).toBe(0);
  await driver.world.pass(501);
  expect(ran).toBe(2);
  await driver.crash();
  await driver.world.pass(3_990);
  expect(ran).toBe(2);
  await driver.world.pass(10);
  expect(ran).toBe(3);
  expect(await handle().result("one")).toBe(3);
  expect(await handle().log()).toEqual(["attempt 1", "attempt 2", "attempt 3"]);
  expect(events).toMatchObject([
    { step: { stepName: "flaky", attempt: 1, willRetry: true, remainingRetries: 3, retryDelay: 2_000 } },
    { step: { attempt: 2, remainingRetries: 2, retryDelay: 4_000, error: { message: "not yet" } } },
  ]);
});

test("one that fails as often as it may fails its workflow; its caller gets why", async () => {
  const info = await runs((ctx) => ctx.step({ name: "bad", run: fails, maxRetries: 2 }));
  expect(info).toMatchObject({
    state: "failed",
    error: { metadata: { code: "step_exhausted", step: "bad", attempts: 3, error: { message: "no. 3" } } },
  });
  expect(ran).toBe(3);
  expect(events).toHaveLength(3);
});

test("a critical error isn't tried again, nor is a step that took too long, nor a result that can't be stored", async () => {
  const critical = await runs((ctx) =>
    ctx.step("bad", async () => {
      ran += 1;
      throw new CriticalError("broken for good");
    }),
  );
  expect([critical?.error?.metadata?.["code"], ran]).toEqual(["step_failed", 1]);
  const late = await runs((ctx) =>
    ctx.step({
      name: "slow",
      timeout: 50,
      run: async (step) => {
        ran += 1;
        await gate.promise;
        step.state;
      },
    }),
  );
  expect([late?.error?.metadata?.["code"], ran]).toEqual(["step_timed_out", 1]);
  const unstorable = await runs((ctx) => ctx.step("odd", async () => (() => {}) as unknown));
  expect(unstorable?.error?.metadata).toMatchObject({ code: "step_failed", attempts: 1 });
});

test("with retryOnTimeout it is tried again", async () => {
  const info = await runs((ctx) =>
    ctx.step({
      name: "slow",
      timeout: 50,
      maxRetries: 1,
      retryOnTimeout: true,
      run: async () => {
        ran += 1;
        await gate.promise;
      },
    }),
  );
  expect([info?.error?.metadata?.["code"], ran]).toEqual(["step_exhausted", 2]);
});

test("a step's context ends with the step", async () => {
  let kept: { state: unknown } | undefined;
  const info = await runs(async (ctx) => {
    await ctx.step("one", async (step) => {
      kept = step;
    });
    try {
      return kept?.state;
    } catch (cause) {
      return codeOf(cause);
    }
  });
  expect(info?.output).toBe("workflow.step_over");
});

test("outside of steps there is no state, no database and no client: it is refused by name", async () => {
  const info = await runs(async (ctx) => {
    try {
      return Reflect.get(ctx, "state");
    } catch (cause) {
      return codeOf(cause);
    }
  });
  expect(info?.output).toBe("workflow.outside_step");
});

test("tryStep and try give failures as values; what asks for the rollback goes on unless it is named", async () => {
  const info = await runs(async (ctx) => {
    const first = await ctx.tryStep({ name: "bad", run: fails, maxRetries: 1, retryBackoffBase: 0 });
    const good = await ctx.tryStep("good", async () => 5);
    const block = await ctx.try("block", async (inner) => {
      await inner.step({ name: "bad", run: fails, maxRetries: 0 });
    });
    const joined = await ctx.try("joined", (inner) =>
      inner.join("all", { a: { run: (branch) => branch.step({ name: "bad", run: fails, maxRetries: 0 }) } }),
    );
    const undone = await ctx.try({
      name: "undone",
      catch: ["rollback"],
      run: (inner) =>
        inner.step("asks", async () => {
          throw new RollbackError("undo");
        }),
    });
    return { first, good, block, joined, undone };
  });
  expect(info?.output).toMatchObject({
    first: { ok: false, failure: { kind: "exhausted", stepName: "bad", attempts: 2 } },
    good: { ok: true, value: 5 },
    block: { ok: false, failure: { source: "step", name: "bad", step: { kind: "exhausted" } } },
    joined: { ok: false, failure: { source: "join", name: "all" } },
    undone: { ok: false, failure: { source: "step", step: { kind: "rollback" } } },
  });
  const through = await runs(async (ctx) => {
    await ctx.try("block", async () => {
      throw new Error("no step's");
    });
  });
  expect(through).toMatchObject({ state: "failed", error: { message: "no step's" } });
});

test("an error between steps fails the workflow, and is told once", async () => {
  const info = await runs(async () => {
    throw new TypeError("oops");
  });
  expect(info).toMatchObject({ state: "failed", error: { name: "TypeError", message: "oops" } });
  expect(events).toMatchObject([{ workflow: { workflowId: "one", error: { message: "oops" } } }]);
});

test("what a step is given must make sense", async () => {
  for (const config of [{ name: "a" }, { name: "a", run: fails, timeout: -1 }]) {
    const info = await runs((ctx) => ctx.step(config as never));
    expect(info).toMatchObject({ state: "diverged", error: { metadata: { code: "invalid_option" } } });
  }
});
