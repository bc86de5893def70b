/**
 * An order, from the reservation to the parcel, as a workflow: it waits for its payment, which may take days, ships when it is
 * paid, and gives the goods back when nobody pays. Each step and what it wrote are stored together, so the process may die
 * at any moment: nothing is reserved, charged or shipped twice.
 */
import { actor, event, queue, setup } from "troupe";
import { Loop, workflow } from "troupe/workflow";

export interface Payment {
  readonly amount: number;
}

export interface Order {
  readonly price: number;
  readonly payWithinMs: number;
}

export const orders = actor({
  state: { status: "new", paid: 0, story: [] as string[] },
  queues: { placed: queue<Order>(), payments: queue<Payment>() },
  events: { changed: event<string>() },

  run: workflow(async (ctx) => {
    const { price, payWithinMs } = (await ctx.queue.next("order", { names: ["placed"] })).body;
    await ctx.step("reserve", async (step) => {
      step.state.status = "reserved";
      step.state.story.push("reserved");
      step.broadcast("changed", "reserved");
    });

    const paid = await ctx.loop({
      name: "payments",
      state: 0,
      run: async (round, sum: number) => {
        const [payment] = await round.queue.nextBatch("payment", {
          names: ["payments"],
          timeout: payWithinMs,
        });
        if (payment === undefined) return Loop.break(sum);
        const total = sum + payment.body.amount;
        await round.step("note", async (step) => {
          step.state.paid = total;
          step.broadcast("changed", `paid ${total} of ${price}`);
        });
        return total >= price ? Loop.break(total) : Loop.continue(total);
      },
    });

    const end = paid >= price ? "shipped" : "cancelled";
    await ctx.step("end", async (step) => {
      step.state.status = end;
      step.state.story.push(end);
      step.broadcast("changed", end);
    });
  }),

  actions: {
    look: (c) => ({ status: c.state.status, paid: c.state.paid, story: [...c.state.story] }),
  },
});

export const registry = setup({ use: { orders } });
