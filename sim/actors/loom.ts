/**
 * The loom: a ledger with workflows. Each leaves a mark in each of its steps; some steps take one turn, some several, and
 * between them are sleeps, rounds, branches and messages.
 */
import { type ActorContext, type ActorTypes, Loop, queue, type WorkflowContext } from "@troupe/runtime";
import { markOf } from "../checkers/tokens.ts";
import { type LedgerState, type Marked, write } from "./ledger-state.ts";
import type { Stage } from "./stage.ts";

/** Parts are the tokens of the workflows that send them; each is taken by whichever comes first. */
export const loomQueues = { parts: queue<string>() };

/** The rounds of a workflow's loop. */
export const KNOTS = 3;

type Loom = ActorTypes & { readonly state: LedgerState };

/** What a step does here. */
type Mark = (step: Marked) => Promise<void>;

/** One workflow of the loom. No fault of a world's is allowed to let a step fail for good. */
export async function weave<T extends Loom>(
  stage: Stage,
  ctx: WorkflowContext<T>,
  token: string,
): Promise<void> {
  /** A step of one turn. */
  const mark = (part: string): Mark => {
    return async (step) => {
      stage.world.counters.add("a step ran");
      write(step, markOf(token, part));
    };
  };
  await ctx.step("one", mark("one"));
  await ctx.sleep("pause", 20);
  await ctx.loop({
    name: "knots",
    state: 0,
    historyPruneInterval: 1,
    run: async (round, knot: number) => {
      await round.step("knot", mark(`knot${knot}`));
      return knot + 1 < KNOTS ? Loop.continue(knot + 1) : Loop.break(knot);
    },
  });
  await ctx.join("both", {
    left: {
      run: (branch) =>
        branch.step({
          name: "slow",
          maxRetries: 1_000,
          run: async (step) => {
            await stage.sleep(5);
            await mark("left")(step);
          },
        }),
    },
    right: { run: (branch) => branch.step("quick", mark("right")) },
  });
  await ctx.step("send", async (step) => {
    const { send }: { send(name: string, body: unknown): Promise<unknown> } = step.queue;
    void send("parts", token);
    await mark("sent")(step);
  });
  const part = await ctx.queue.next("part");
  await ctx.step("took", async (step) => {
    stage.world.counters.add("a workflow took a message");
    write(step, markOf(String(part.body), "part"));
  });
  await ctx.step("end", mark("end"));
}

/** Starts one, which has the token for its id. */
export async function startWeaving(c: Pick<ActorContext, "workflows">, token: string): Promise<void> {
  await c.workflows.start("weave", { id: token, input: token });
}
