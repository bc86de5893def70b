import { actor, event, UserError } from "troupe";

export default actor({
  state: { count: 0 },
  events: { changed: event() },
  actions: {
    get: (c) => c.state.count,
    increment: (c, by = 1) => {
      if (!Number.isInteger(by)) throw new UserError("increment takes an integer", { code: "not_a_number" });
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
  },
});
