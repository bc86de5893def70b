/** Refuses one tool by its name. */
import { serveWorker } from "troupe/plugins/worker";

await serveWorker({
  name: "__ID__",
  version: "0.1.0",
  middleware: [
    {
      kind: "tool_conditional_execution_guardrail",
      name: "no-rm",
      handle: ({ toolName }) => (toolName === "rm" ? "rm isn't allowed here" : null),
    },
  ],
});
