/** AgentProcess: the program that runs behind the gateway. The terminal is its own; signals that only we get go on to it. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { runErrors } from "../errors.ts";
import type { AgentStart } from "./agents.ts";

/** The shell's word for a program that a signal ended: 128 and its number. */
const SIGNAL_EXIT = 128;

/** Runs it to its end; its exit code. Throws `run.cannot_start`. */
export async function runAgentProcess(
  { program, args, env }: AgentStart,
  onSignal: (listener: (signal: NodeJS.Signals) => void) => void,
): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit", env: { ...env } });
  // Ctrl-C reaches the whole foreground group, the agent among them: what it means is the agent's to say.
  onSignal((signal) => signal === "SIGINT" || child.kill(signal));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("error", (cause) => reject(runErrors.cannotStart(program, cause)));
  child.once("exit", (code, signal) =>
    resolve(code ?? SIGNAL_EXIT + (signal === null ? 0 : constants.signals[signal])),
  );
  return await promise;
}
