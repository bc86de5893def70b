/**
 * SandboxAgent: an agent's program, as a process of the sandbox. What it does by itself it does there: to the sandbox's files, under its
 * limits, and over its network.
 *
 * It starts when the sandbox is up. What it is told meanwhile waits for that; a sandbox that doesn't boot is why it is gone.
 */
import { PassThrough } from "node:stream";
import { TroupeError } from "@troupe/base";
import type { AgentCommand } from "../config.ts";
import { agentErrors } from "../errors.ts";
import type { ProcessEnd, ProcessStream, SandboxProcess } from "../sandbox/process.ts";
import type { AgentPlace } from "./agent-place.ts";
import { type AgentProgram, KILL_AFTER_MS } from "./agent-process.ts";
import { StderrTail } from "./stderr-tail.ts";

/** A running agent in a sandbox. */
export class SandboxAgent implements AgentProgram {
  readonly ended: Promise<TroupeError>;
  readonly stdout = new PassThrough();
  readonly #started: Promise<SandboxProcess>;
  readonly #stderr = new StderrTail();

  constructor(command: AgentCommand, place: Pick<AgentPlace, "sandbox">) {
    this.#started = this.#start(command, place);
    this.ended = this.#run(command);
  }

  get stderr(): string {
    return String(this.#stderr);
  }

  async write(text: string): Promise<void> {
    await (await this.#started).write(Buffer.from(text));
  }

  async end(): Promise<void> {
    const process = await this.#started.catch(() => undefined);
    process?.kill("SIGTERM");
    const timer = setTimeout(() => process?.kill("SIGKILL"), KILL_AFTER_MS);
    await this.ended;
    clearTimeout(timer);
    this.stdout.destroy();
  }

  async #start(agent: AgentCommand, place: Pick<AgentPlace, "sandbox">): Promise<SandboxProcess> {
    const sandbox = await place.sandbox();
    const { command, args = [], env, cwd } = agent;
    return await sandbox.spawn({ command, args, env, cwd, streamStdin: true }, (stream, data) =>
      this.#printed(stream, data),
    );
  }

  /** Never rejects. */
  async #run({ command }: AgentCommand): Promise<TroupeError> {
    try {
      const end = await (await this.#started).ended;
      this.stdout.end();
      return whyOf(end, this.stderr);
    } catch (cause) {
      this.stdout.end();
      return TroupeError.is(cause) ? cause : agentErrors.spawnFailed(command, cause);
    }
  }

  /** It is read no faster than its messages are. */
  async #printed(stream: ProcessStream, data: Uint8Array): Promise<void> {
    if (stream === "stderr") return this.#stderr.add(Buffer.from(data));
    if (this.stdout.destroyed || this.stdout.write(data)) return;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        this.stdout.off("drain", goOn).off("close", goOn);
        resolve();
      };
      this.stdout.on("drain", goOn).on("close", goOn);
    });
  }
}

function whyOf({ exitCode, signal, error }: ProcessEnd, stderr: string): TroupeError {
  if (TroupeError.is(error)) return error;
  return agentErrors.exited({ code: signal === undefined ? exitCode : null, signal: signal ?? null, stderr });
}
