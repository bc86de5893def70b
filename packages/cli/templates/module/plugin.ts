/** A counter, a guardrail and an exporter: one of each that a plugin may bring. */
import { actor, event, TroupeError, UserError } from "troupe";
import type { WorkerPlugin } from "troupe/plugins/worker";

/** State that survives, an event for who listens, and an error that its caller can read. */
const counter = actor({
  state: { count: 0 },
  events: { changed: event<number>() },
  actions: {
    get: (c) => c.state.count,
    increment: (c, by: unknown) => {
      if (typeof by !== "number" || !Number.isSafeInteger(by))
        throw new UserError("increment takes an integer", { code: "not_a_number" });
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
  },
});

/** Answers nothing, or the reason why not; what is thrown is a rejection as well. */
export function noRm({ toolName }: { readonly toolName: string }): string | null {
  if (toolName === "mv") throw new TroupeError("relay", "guardrail_rejected", "mv isn't allowed here");
  return toolName === "rm" ? "rm isn't allowed here" : null;
}

/** What the host starts the plugin with: JSON, or undefined. */
export function configure(config: unknown): void {
  if (config !== undefined && (typeof config !== "object" || config === null || Array.isArray(config)))
    throw new TypeError("the configuration must be a JSON object");
}

const plugin: WorkerPlugin = {
  name: "__ID__",
  version: "0.1.0",
  start: configure,
  actors: { counter },
  middleware: [
    { kind: "tool_conditional_execution_guardrail", name: "no-rm", handle: noRm },
    {
      // Hears every event of the host's relay, and writes a line for each call that has ended.
      kind: "subscriber",
      name: "lines",
      handle: (heard, { host }) => {
        if ("scope_category" in heard && heard.scope_category === "end")
          host.log("info", `ended: ${heard.name}`);
      },
    },
  ],
};

export default plugin;
