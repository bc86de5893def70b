import { actor, event, setup } from "troupe";

export const counter = actor({
  state: { count: 0 },
  events: { changed: event<number>() },
  actions: {
    increment: (c, by: number = 1) => {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
    read: (c) => c.state.count,
  },
});

export const registry = setup({ use: { counter } });
