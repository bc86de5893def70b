/**
 * AtifFiles: a trajectory for each outermost scope of this process, in a file of its own, written when the scope has ended,
 * and all that it left running. Past the limits the oldest is written as it is. Files of one session, by what its events say of it, have its id.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { relayErrors } from "../errors.ts";
import type { RelayEvent } from "../events/event.ts";
import { buildTrajectory } from "./atif/build.ts";
import { type AtifSession, Sessions } from "./atif/sessions.ts";
import { type AtifExporterOptions, atifAgent, toldBySteps } from "./atif-exporter.ts";
import { Exporter } from "./exporter.ts";

/** Writes sessions. */
export class AtifFiles extends Exporter {
  readonly #options: Omit<AtifExporterOptions, "sessionId">;
  readonly #pathOf: (sessionId: string) => string;
  readonly #sessions = new Sessions();
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly path: string; readonly cause: unknown } | undefined = undefined;
  #lost = 0;

  constructor(options: Omit<AtifExporterOptions, "sessionId">, pathOf: (sessionId: string) => string) {
    super(options);
    this.#options = options;
    this.#pathOf = pathOf;
  }

  protected take(event: RelayEvent): Promise<void> | undefined {
    if (event.kind === "mark" && toldBySteps.includes(event.name)) return undefined;
    const over = this.#sessions.add(event);
    for (const session of over) this.#write(session);
    return over.length === 0 ? undefined : this.#writing;
  }

  protected async drained(): Promise<void> {
    await this.#writing;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw relayErrors.exportFailed(failure.path, this.#lost, failure.cause);
  }

  protected async closed(): Promise<void> {
    for (const session of this.#sessions.rest()) this.#write(session);
    await this.#writing;
  }

  /** One file after the other. */
  #write({ id, events }: AtifSession): void {
    this.#writing = this.#writing.then(async () => {
      const path = resolve(this.#pathOf(id));
      try {
        const sessionId = events.map(sessionOf).find((said) => said !== undefined) ?? id;
        const session = { sessionId, trajectoryId: id, agent: atifAgent(this.#options), missing: 0 };
        const trajectory = buildTrajectory(session, events);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, JSON.stringify(trajectory, undefined, 2), { mode: 0o600 });
      } catch (cause) {
        this.#lost += events.length;
        this.#failure = { path, cause };
      }
    });
  }
}

/** What joins all that one agent does. */
function sessionOf({ metadata }: RelayEvent): string | undefined {
  const said = metadata?.["session_id"];
  return typeof said === "string" && said !== "" ? said : undefined;
}
