/** AtifFiles: a trajectory for each outermost scope, in a file of its own, written when the scope has ended. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../errors.ts";
import type { RelayEvent } from "../events/event.ts";
import { buildTrajectory } from "./atif/build.ts";
import { type AtifExporterOptions, atifAgent } from "./atif-exporter.ts";
import { Exporter } from "./exporter.ts";
import { Traces } from "./opentelemetry/ids.ts";

/** Sessions that are open at once: past it the oldest is written as it is. */
const SESSIONS = 1_000;

/** Writes sessions. */
export class AtifFiles extends Exporter {
  readonly #options: Omit<AtifExporterOptions, "sessionId">;
  readonly #pathOf: (sessionId: string) => string;
  readonly #traces = new Traces();
  readonly #sessions = new Map<string, RelayEvent[]>();
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly path: string; readonly cause: unknown } | undefined = undefined;
  #lost = 0;
  #kept = 0;

  constructor(options: Omit<AtifExporterOptions, "sessionId">, pathOf: (sessionId: string) => string) {
    super(options);
    this.#options = options;
    this.#pathOf = pathOf;
  }

  protected take(event: RelayEvent): Promise<void> | undefined {
    if (event.kind === "mark" && event.name === "llm.chunk") return undefined;
    const session = this.#traces.of(event);
    const events = this.#sessions.get(session) ?? [];
    this.#sessions.set(session, events);
    events.push(event);
    this.#kept += 1;
    const ended = event.kind === "scope" && event.scope_category === "end" && event.uuid === session;
    if (ended) return this.#write(session);
    // A mark at the top is a session of its own.
    if (event.kind === "mark" && event.uuid === session) return this.#forget(session);
    const [oldest] = this.#sessions.keys();
    const full = this.#sessions.size > SESSIONS || this.#kept > limits.relayTrajectoryEvents;
    return full && oldest !== undefined ? this.#write(oldest) : undefined;
  }

  protected async drained(): Promise<void> {
    await this.#writing;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw relayErrors.exportFailed(failure.path, this.#lost, failure.cause);
  }

  protected async closed(): Promise<void> {
    for (const session of this.#sessions.keys()) void this.#write(session);
    await this.#writing;
  }

  #forget(session: string): undefined {
    this.#kept -= this.#sessions.get(session)?.length ?? 0;
    this.#sessions.delete(session);
  }

  /** One file after the other. Never rejects. */
  #write(sessionId: string): Promise<void> {
    const events = this.#sessions.get(sessionId) ?? [];
    this.#forget(sessionId);
    this.#writing = this.#writing.then(async () => {
      const path = resolve(this.#pathOf(sessionId));
      try {
        const session = { sessionId, agent: atifAgent(this.#options), missing: 0 };
        const trajectory = buildTrajectory(session, events);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, JSON.stringify(trajectory, undefined, 2));
      } catch (cause) {
        this.#lost += events.length;
        this.#failure = { path, cause };
      }
    });
    return this.#writing;
  }
}
