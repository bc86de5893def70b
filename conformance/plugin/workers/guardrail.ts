/** The kit's plugin in TypeScript. As a program it is a worker; as a module it is the plugin. */
import { TroupeError } from "../../../packages/base/src/index.ts";
import { serveWorker, type WorkerPlugin } from "../../../packages/plugins/src/worker.ts";

const guardrail: WorkerPlugin = {
  name: "guardrail",
  version: "1.0.0",
  start: (config) => {
    if (config !== undefined && (typeof config !== "object" || config === null || Array.isArray(config)))
      throw new TypeError("the configuration must be a JSON object");
  },
  middleware: [
    {
      kind: "tool_conditional_execution_guardrail",
      name: "no-rm",
      handle: ({ toolName }) => {
        if (toolName === "mv") throw new TroupeError("relay", "guardrail_rejected", "mv isn't allowed here");
        return toolName === "rm" ? "rm isn't allowed here" : null;
      },
    },
  ],
};

export default guardrail;

if (import.meta.main) await serveWorker(guardrail);
