/**
 * AgentProcess: an agent's program, as a child of the host. `sandbox-agent.ts` has one inside of a sandbox.
 *
 * It gets an environment of its own, so that the host's secrets aren't passed on by chance. Whoever ends it says so
 * politely first (SIGTERM), then not (SIGKILL). `ended` settles when the process is gone and its stderr was read; what a child of its
 * own still holds open is not waited for.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { statSync } from "node:fs";
import type { Readable } from "node:stream";
import type { TroupeError } from "@troupe/base";
import { startedChild } from "@troupe/runtime/process";
import type { AgentCommand } from "../agent-command.ts";
import { agentErrors } from "../errors.ts";
import { StderrTail } from "./stderr-tail.ts";

/** From SIGTERM to SIGKILL. */
export const KILL_AFTER_MS = 2_000;

const inherited = ["PATH", "HOME", "LANG", "TMPDIR"] as const;

/** A running agent, wherever it runs. */
export interface AgentProgram {
  /** Settles, never rejects, with why the agent is gone. */
  readonly ended: Promise<TroupeError>;
  readonly stdout: Readable;
  /** The end of what it printed on its stderr. */
  readonly stderr: string;
  /** Settles when the agent's stdin has taken it. */
  write(text: string): Promise<void>;
  /** Ends the agent; settles when it is gone. */
  end(): Promise<void>;
}

/** An agent as a child of the host. */
export class AgentProcess implements AgentProgram {
  /** Settles, never rejects, with why the agent is gone. */
  readonly ended: Promise<TroupeError>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #stderr = new StderrTail();

  /** Throws `storage.too_many_open_files`. */
  constructor(command: AgentCommand) {
    this.#child = startedChild(
      spawn(command.command, command.args ?? [], {
        stdio: ["pipe", "pipe", "pipe"],
        env: environment(command),
        ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      }),
    );
    const { promise, resolve } = Promise.withResolvers<TroupeError>();
    this.ended = promise;
    this.#child.on("error", (cause) =>
      resolve(agentErrors.spawnFailed(command.command, whyOf(cause, command))),
    );
    this.#child.on("exit", () => this.#leaveOthers());
    this.#child.on("close", (code, signal) =>
      resolve(agentErrors.exited({ code, signal, stderr: this.stderr })),
    );
    this.#child.stderr.on("data", (chunk: Buffer) => this.#stderr.add(chunk));
    // A write to an agent that is gone; `ended` says why.
    this.#child.stdin.on("error", () => undefined);
  }

  get stdout(): Readable {
    return this.#child.stdout;
  }

  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.stdin.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The end of what it printed. */
  get stderr(): string {
    return String(this.#stderr);
  }

  /** Ends the agent; settles when it is gone. */
  async end(): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), KILL_AFTER_MS);
    await this.ended;
    clearTimeout(timer);
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  /** Gone, but its streams may be a child's, too: they are left when nothing of them waits to be read. */
  #leaveOthers(): void {
    const { stdout, stderr } = this.#child;
    const look = setInterval(() => {
      if (stdout.readableLength > 0) return;
      stdout.destroy();
      stderr.destroy();
    }, KILL_AFTER_MS);
    void this.ended.then(() => clearInterval(look));
  }
}

/** The system says ENOENT of the program, also where it is the directory to start in that isn't there. */
function whyOf(cause: Error, { cwd }: AgentCommand): unknown {
  if (cwd === undefined || statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true) return cause;
  return `its cwd, ${cwd}, is no directory`;
}

function environment(command: AgentCommand): Record<string, string> {
  const own: Record<string, string> = {};
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) own[name] = value;
  }
  return { ...own, ...command.env };
}
