/** Agents for the tests: commands of the host, each a process of its own. */
import { fileURLToPath } from "node:url";
import type { AgentCommand } from "@troupe/agent-os";

const script = fileURLToPath(new URL("./scripted-agent.ts", import.meta.url));

/** Does what its prompts say. */
export const scripted: AgentCommand = { command: process.execPath, args: [script] };
/** The same, and it can load sessions. */
export const loading: AgentCommand = { command: process.execPath, args: [script, "load"] };

/** The same, and it says that it can load sessions, but can't. */
export const forgetful: AgentCommand = { command: process.execPath, args: [script, "load-broken"] };

/** A program that is no agent. */
export function program(source: string): AgentCommand {
  return { command: process.execPath, args: ["--input-type=module", "--eval", source] };
}
