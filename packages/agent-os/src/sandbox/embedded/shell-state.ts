/** Shell state: what a shell of just-bash begins each command with, which it has no method for. */
import type { Bash } from "just-bash";

interface ShellState {
  readonly env: Map<string, string>;
  readonly exportedVars: Set<string>;
  lastExitCode: number;
}

/** Variables that every command sees, as if the shell had been made with them. */
export function giveVariables(bash: Bash, variables: Readonly<Record<string, string>>): void {
  const { env, exportedVars } = stateOf(bash);
  for (const [name, value] of Object.entries(variables)) {
    env.set(name, value);
    exportedVars.add(name);
  }
}

/** Runs something for which `$?` is this at first. */
export async function behindExitCode<R>(bash: Bash, exitCode: number, run: () => Promise<R>): Promise<R> {
  const state = stateOf(bash);
  state.lastExitCode = exitCode;
  try {
    return await run();
  } finally {
    state.lastExitCode = 0;
  }
}

function stateOf(bash: Bash): ShellState {
  const state: unknown = Reflect.get(bash, "state");
  if (!isState(state)) throw new Error("just-bash keeps its state elsewhere");
  return state;
}

function isState(state: unknown): state is ShellState {
  if (typeof state !== "object" || state === null) return false;
  if (!("env" in state && "exportedVars" in state && "lastExitCode" in state)) return false;
  return state.env instanceof Map && state.exportedVars instanceof Set;
}
