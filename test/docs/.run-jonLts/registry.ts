import { actor, setup } from "troupe";

const counter = actor({
  state: { count: 0 },
  actions: { increment: (c, by: number) => (c.state.count += by) },
});

export const registry = setup({ use: { counter } });
