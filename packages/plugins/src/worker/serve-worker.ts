/** A worker plugin's main function. */
import { connectToHost } from "./host-link.ts";
import { PluginSideSession } from "./plugin-session.ts";
import type { WorkerPlugin } from "./worker-plugin.ts";

/**
 * Serves a plugin to the host that started this process. The process ends with the host, and when the host closes the
 * plugin. Throws `plugin.no_host` when nobody started it as a plugin.
 *
 * ```ts
 * import { serveWorker } from "troupe/plugins/worker";
 *
 * await serveWorker({
 *   name: "no-rm",
 *   middleware: [
 *     {
 *       kind: "tool_conditional_execution_guardrail",
 *       name: "no-rm",
 *       handle: ({ toolName }) => (toolName === "rm" ? "Nothing is removed here" : null),
 *     },
 *   ],
 * });
 * ```
 */
export async function serveWorker(plugin: WorkerPlugin): Promise<void> {
  const session = new PluginSideSession(plugin, (frame) => link.send(frame));
  const link = await connectToHost({
    frame: (frame) => session.heard(frame),
    ended: (error) => {
      session.ended();
      if (error !== undefined) process.stderr.write(`${plugin.name}: ${error.message}\n`);
      process.exit(error === undefined ? 0 : 1);
    },
  });
}
