/**
 * LateAgent: an agent's program that begins when something else is there: what its environment tells of, or the sandbox that it runs in. What
 * it is told meanwhile waits; what never comes is why it is gone.
 */
import { PassThrough, pipeline } from "node:stream";
import { TroupeError } from "@troupe/base";
import { agentErrors } from "../errors.ts";
import type { AgentProgram } from "./agent-process.ts";

/** An agent that is on its way. */
export class LateAgent implements AgentProgram {
  readonly ended: Promise<TroupeError>;
  readonly stdout = new PassThrough();
  readonly #started: Promise<AgentProgram>;
  #agent: AgentProgram | undefined;

  /** `command`: what people are told that it is. */
  constructor(command: string, started: Promise<AgentProgram>) {
    this.#started = started;
    this.ended = this.#run(command);
  }

  get stderr(): string {
    return this.#agent?.stderr ?? "";
  }

  async write(text: string): Promise<void> {
    await (await this.#started).write(text);
  }

  async end(): Promise<void> {
    await (await this.#started.catch(() => undefined))?.end();
    await this.ended;
    this.stdout.destroy();
  }

  /** Never rejects. */
  async #run(command: string): Promise<TroupeError> {
    try {
      this.#agent = await this.#started;
      // Who ends it early says so by itself.
      pipeline(this.#agent.stdout, this.stdout, () => undefined);
      return await this.#agent.ended;
    } catch (cause) {
      this.stdout.end();
      return TroupeError.is(cause) ? cause : agentErrors.spawnFailed(command, cause);
    }
  }
}
