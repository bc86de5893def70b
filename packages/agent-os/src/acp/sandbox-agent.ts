/**
 * SandboxAgent: an agent's program, as a process of the sandbox. What it does by itself it does there: to the sandbox's files, under its
 * limits, and over its network.
 */
import { PassThrough } from "node:stream";
import { TroupeError } from "@troupe/base";
import type { AgentCommand } from "../agent-command.ts";
import { agentErrors } from "../errors.ts";
import type { ProcessEnd, ProcessStream, SandboxProcess } from "../sandbox/process.ts";
import type { AgentPlace } from "./agent-place.ts";
import { type AgentProgram, KILL_AFTER_MS } from "./agent-process.ts";
import { StderrTail } from "./stderr-tail.ts";

/** Starts an agent when the sandbox is up. Rejects with what keeps either from it. */
export async function startInSandbox(
  { command, args = [], env, cwd }: AgentCommand,
  place: Pick<AgentPlace, "sandbox">,
): Promise<AgentProgram> {
  const sandbox = await place.sandbox();
  const streams = new AgentStreams();
  const process = await sandbox.spawn({ command, args, env, cwd, streamStdin: true }, (stream, data) =>
    streams.printed(stream, data),
  );
  return new SandboxAgent(process, streams);
}

/** What it prints, from its beginning. */
class AgentStreams {
  readonly stdout = new PassThrough();
  readonly stderr = new StderrTail();

  /** It is read no faster than its messages are. */
  async printed(stream: ProcessStream, data: Uint8Array): Promise<void> {
    const { stdout } = this;
    if (stream === "stderr") return this.stderr.add(Buffer.from(data));
    if (stdout.destroyed || stdout.write(data)) return;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        stdout.off("drain", goOn).off("close", goOn);
        resolve();
      };
      stdout.on("drain", goOn).on("close", goOn);
    });
  }
}

/** A running agent in a sandbox. */
class SandboxAgent implements AgentProgram {
  readonly ended: Promise<TroupeError>;
  readonly #process: SandboxProcess;
  readonly #streams: AgentStreams;

  constructor(process: SandboxProcess, streams: AgentStreams) {
    this.#process = process;
    this.#streams = streams;
    this.ended = this.#over();
  }

  get stdout(): PassThrough {
    return this.#streams.stdout;
  }

  get stderr(): string {
    return String(this.#streams.stderr);
  }

  async write(text: string): Promise<void> {
    await this.#process.write(Buffer.from(text));
  }

  async end(): Promise<void> {
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), KILL_AFTER_MS);
    await this.ended;
    clearTimeout(timer);
    this.stdout.destroy();
  }

  async #over(): Promise<TroupeError> {
    const end = await this.#process.ended;
    this.stdout.end();
    return whyOf(end, this.stderr);
  }
}

function whyOf({ exitCode, signal, error }: ProcessEnd, stderr: string): TroupeError {
  if (TroupeError.is(error)) return error;
  return agentErrors.exited({ code: signal === undefined ? exitCode : null, signal: signal ?? null, stderr });
}
