/** Agents for the tests: commands of the host, each a process of its own. */
import { fileURLToPath } from "node:url";
import type { AgentCommand } from "@troupe/agent-os";

const script = fileURLToPath(new URL("./scripted-agent.ts", import.meta.url));

/** Does what its prompts say. */
export const scripted: AgentCommand = { command: process.execPath, args: [script] };
/** The same, and it can load sessions. */
export const loading: AgentCommand = { command: process.execPath, args: [script, "load"] };

/** The same, and it can resume sessions. */
export const resuming: AgentCommand = { command: process.execPath, args: [script, "resume"] };

/** The same, and what it replays comes behind its answer. */
export const lateLoading: AgentCommand = { command: process.execPath, args: [script, "load-late"] };

/** The same, and it says that it can load sessions, but can't. */
export const forgetful: AgentCommand = { command: process.execPath, args: [script, "load-broken"] };

/** The same, and it says that it can resume and load sessions, but can't resume one. */
export const unresuming: AgentCommand = { command: process.execPath, args: [script, "load-no-resume"] };

/** The same, and it can do neither. */
export const oblivious: AgentCommand = { command: process.execPath, args: [script, "load-broken-resume"] };

/** The same, and it must be told who asks. */
export const locked: AgentCommand = { command: process.execPath, args: [script, "locked"] };

/** The same, and its mode can be set behind its first prompt only. */
export const timid: AgentCommand = { command: process.execPath, args: [script, "timid"] };

/** The same, and it takes no MCP servers over HTTP. */
export const simple: AgentCommand = { command: process.execPath, args: [script, "simple"] };

/** A program that is no agent. */
export function program(source: string): AgentCommand {
  return { command: process.execPath, args: ["--input-type=module", "--eval", source] };
}
