import { actor, event, setup, UserError } from "troupe";

export const counter = actor({
  state: { count: 0 },
  events: { changed: event<number>() },
  actions: {
    increment: (c, by: number = 1) => {
      // Types are gone at run time: whoever calls by HTTP may send anything.
      if (!Number.isInteger(by))
        throw new UserError("The counter counts whole numbers", { code: "not_a_number" });
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
    read: (c) => c.state.count,
  },
});

export const registry = setup({ use: { counter } });
