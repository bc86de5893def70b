/** Unasked: why an agent would ask nobody before it runs a tool, as far as its command line says so. */
import { findAgent } from "./agent-name.ts";
import { type AgentStart, presetNames } from "./agents.ts";

/** What makes an agent leave out hooks, or plugins, that were given to it. */
interface LeavesOut {
  readonly options: readonly string[];
  readonly variables: readonly string[];
}

const leaving: Readonly<Record<string, LeavesOut>> = {
  claude: { options: ["--bare", "--safe-mode"], variables: ["CLAUDE_CODE_SIMPLE"] },
  opencode: { options: ["--pure"], variables: [] },
};

/** Why none of its tools would be asked about; undefined: nothing speaks for that. `said`: which agent it is, where the user says so. */
export function whyUnasked({ program, args, env }: AgentStart, said: string | undefined): string | undefined {
  const { name, before } = findAgent(program, args, said);
  if (!presetNames().includes(name))
    return `it isn't known how ${program} would ask; where it runs one of them, say so: --agent ${presetNames().join(", ")}`;
  const { options, variables } = leaving[name] ?? { options: [], variables: [] };
  const option = args.slice(before).find((arg) => options.includes(arg));
  const word = option ?? variables.find((variable) => env[variable]);
  return word === undefined ? undefined : `${word} has ${name} leave its hooks out`;
}
