/** The kit's second plugin in TypeScript: it goes around calls. */
import { serveWorker, type WorkerPlugin } from "../../../packages/plugins/src/worker.ts";

async function* louder(rest: Promise<AsyncIterable<unknown>>): AsyncIterable<unknown> {
  for await (const chunk of await rest) yield `${String(chunk)}!`;
  yield "the end";
}

const around: WorkerPlugin = {
  name: "around",
  middleware: [
    {
      kind: "tool_execution_intercept",
      name: "twice",
      handle: async ({ toolName, args }, { next }) => {
        if (toolName === "none") return { result: "not run" };
        const first = await next(args);
        return toolName === "twice" ? await next(first.result) : first;
      },
    },
    {
      kind: "llm_stream_execution_intercept",
      name: "louder",
      handle: ({ request }, { next }) => louder(next(request)),
    },
  ],
};

export default around;

if (import.meta.main) await serveWorker(around);
