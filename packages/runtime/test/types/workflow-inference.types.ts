/**
 * `run: workflow(…)` beside hooks with parameters of their own, checked by `tsc`. Each `@ts-expect-error` is an error that a
 * user must get.
 */
import {
  type ActionContextOf,
  actor,
  type StateOf,
  type WorkflowContext,
  type WorkflowsOf,
  workflow,
} from "@troupe/runtime";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_T extends true>(): void {}

// What `createConnState` makes isn't settled yet when `run` is looked at, and does no harm there.
const shop = actor({
  state: { sold: 0 },
  createConnState: (_c, params: { token: string }) => ({ user: params.token }),
  run: workflow(async (ctx) => {
    await ctx.step("sell", async (step) => {
      step.state.sold++;
    });
  }),
  actions: { user: (c) => c.conn.state.user },
});
holds<Equal<StateOf<typeof shop>, { sold: number }>>();
holds<Equal<ActionContextOf<typeof shop>["conn"]["state"], { user: string }>>();
holds<Equal<ActionContextOf<typeof shop>["vars"], undefined>>();

// Nor is what `createState` makes, unless a hook stands between, its parameters have types, or `types` says it.
const unsettled = actor({
  createState: (_c, input: { seats: number }) => ({ seats: input.seats }),
  run: workflow(async (ctx) => {
    await ctx.step("sell", async (step) => {
      holds<Equal<typeof step.state, unknown>>();
    });
  }),
  actions: { seats: (c) => c.state.seats },
});
holds<Equal<StateOf<typeof unsettled>, { seats: number }>>();

export const behindHook = actor({
  createState: (_c, input: { seats: number }) => ({ seats: input.seats }),
  onWake: (c) => c.log.info("up"),
  run: workflow(async (ctx) => {
    await ctx.step("sell", async (step) => {
      step.state.seats--;
    });
  }),
});

export const withParameterTypes = actor({
  createState: (_c: unknown, input: { seats: number }) => ({ seats: input.seats }),
  run: workflow(async (ctx) => {
    await ctx.step("sell", async (step) => {
      step.state.seats--;
    });
  }),
});

// What nobody declares is what it is without a workflow.
const bare = actor({
  run: workflow(async (ctx) => void (await ctx.step("greet", async (step) => step.actorId))),
  actions: { vars: (c) => c.vars },
});
holds<Equal<StateOf<typeof bare>, undefined>>();
holds<Equal<ActionContextOf<typeof bare>["conn"]["state"], undefined>>();

export const ofAnother = actor({
  state: { sold: 0 },
  // @ts-expect-error a workflow of actors with another state
  run: workflow<{ seats: number }>(
    async (ctx) => void (await ctx.step("a", async (step) => step.state.seats)),
  ),
});

// Workflows that are declared beside their actor are known by name and input, in its own actions too.
const sales = {
  sale: async (ctx: WorkflowContext, input: { item: string }) =>
    await ctx.step("sell", async () => input.item),
  payment: async (_ctx: WorkflowContext, amount?: number) => amount,
  report: async () => "all is well",
};
const till = actor({
  state: { sold: 0 },
  run: workflow(async () => {}, { workflows: sales }),
  actions: {
    sell: async (c, item: string) => {
      const workflows: WorkflowsOf<typeof sales> = c.workflows;
      await workflows.start("sale", { id: item, input: { item } });
      await workflows.start("payment");
      await workflows.start("payment", { input: 20 });
      await workflows.start("report", { id: "daily" });
      // @ts-expect-error there is no such workflow
      await workflows.start("sail", { input: { item } });
      // @ts-expect-error it takes an item
      await workflows.start("sale");
      // @ts-expect-error an item is a text
      await workflows.start("sale", { input: { item: 1 } });
      // @ts-expect-error an amount is a number
      await workflows.start("payment", { input: "20" });
      return (await workflows.get(item))?.state;
    },
  },
});
holds<Equal<StateOf<typeof till>, { sold: number }>>();
