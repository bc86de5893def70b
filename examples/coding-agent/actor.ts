/**
 * A workspace: files, a shell, and a session with a coding agent, for everybody who opens its page.
 *
 * The agent (`agent.ts`) is a process of its own that speaks ACP. Its files and commands are the sandbox's, and before it writes or runs
 * anything it asks: whoever is looking answers.
 */
import { fileURLToPath } from "node:url";
import { agentOS, ProcessDriver } from "troupe/agent-os";

export const workspace = agentOS({
  agents: {
    coder: {
      command: process.execPath,
      args: [fileURLToPath(new URL("agent.ts", import.meta.url))],
      env: {
        MODEL_URL: process.env["MODEL_URL"] ?? "",
        MODEL: process.env["MODEL"] ?? "",
        MODEL_KEY: process.env["MODEL_KEY"] ?? "",
      },
    },
  },
  permissions: "ask",
  // Real processes of this machine's programs, and a real terminal, where bubblewrap is installed and they are asked for.
  ...(process.env["SANDBOX"] === "process" ? { sandbox: new ProcessDriver() } : {}),
});
