/**
 * AgentProcess: the program that runs behind the gateway. The terminal is its own; signals that only we get go on to it. One that
 * comes before it is there keeps it from starting: then as after its end, everything else ends in order.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { TroupeError } from "@troupe/base";
import { runErrors } from "../errors.ts";
import type { AgentStart } from "./agents.ts";

/** The shell's word for a program that a signal ended: 128 and its number. */
const SIGNAL_EXIT = 128;

/** From a terminal, Ctrl-C and Ctrl-\ reach the whole foreground group, the agent among them: it has them already. */
const ofTerminal: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT"]);

/** A program that isn't there yet, and what signals say of it. */
export class AgentProcess {
  #early: NodeJS.Signals | undefined = undefined;
  #pass: (signal: NodeJS.Signals) => void = (signal) => {
    this.#early ??= signal;
  };

  /** It ran: no signal was there before it. */
  hasRun = false;
  readonly #atTerminal: boolean;

  /** `atTerminal`: signals may be a terminal's. */
  constructor(onSignal: (listener: (signal: NodeJS.Signals) => void) => void, atTerminal: boolean) {
    this.#atTerminal = atTerminal;
    onSignal((signal) => this.#pass(signal));
  }

  /** The exit code of a run that a signal kept from starting its agent; undefined: none did. */
  get keptBy(): number | undefined {
    return this.hasRun || this.#early === undefined ? undefined : exitOf(this.#early);
  }

  /** Runs it to its end; its exit code. Throws `run.not_found`, `run.not_executable`, `run.cannot_start`. */
  async run({ program, args, env }: AgentStart): Promise<number> {
    if (this.keptBy !== undefined) return this.keptBy;
    const child = spawned(program, args, env);
    this.hasRun = true;
    this.#pass = (signal) => void ((this.#atTerminal && ofTerminal.has(signal)) || child.kill(signal));
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    child.once("error", (cause) => reject(startError(program, cause)));
    child.once("exit", (code, signal) => resolve(code ?? exitOf(signal)));
    return await promise;
  }
}

function spawned(program: string, args: readonly string[], env: AgentStart["env"]): ChildProcess {
  try {
    return spawn(program, args, { stdio: "inherit", env: { ...env } });
  } catch (cause) {
    throw startError(program, cause);
  }
}

function startError(program: string, cause: unknown): TroupeError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return runErrors.notFound(program, cause);
  if (code === "EACCES" || code === "ENOEXEC") return runErrors.notExecutable(program, cause);
  return runErrors.cannotStart(program, cause);
}

function exitOf(signal: NodeJS.Signals | null): number {
  return SIGNAL_EXIT + (signal === null ? 0 : constants.signals[signal]);
}
