/** A worker for an edge platform: it runs the counter for an engine elsewhere, as long as its answer lasts. */
import { actor, event, startHost } from "@troupe/runtime/edge";

const counter = actor({
  state: { count: 0, bornIn: "" },
  events: { changed: event<number>() },
  onCreate: (c) => {
    c.state.bornIn = navigator.userAgent;
  },
  actions: {
    increment: (c, by: number) => {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
    where: (c) => ({ bornIn: c.state.bornIn, runsIn: navigator.userAgent }),
    later: (c, ms: number) => void c.schedule.after(ms, "increment", 100),
  },
});

/** What the test's client knows of it. */
export type Counter = typeof counter;

interface Bindings {
  readonly ENGINE: string;
  readonly TOKEN: string;
}

export default {
  fetch(_request: Request, { ENGINE, TOKEN }: Bindings): Response {
    return startHost({ use: { counter }, endpoint: ENGINE, token: TOKEN }).response();
  },
};
