/**
 * AtifExporter: a session's events as one trajectory, in memory until somebody asks for it.
 *
 * What is kept is bounded: past the limit the oldest events go, and the trajectory says how many are missing.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { limits } from "@troupe/protocol";
import type { JsonObject } from "../codecs/json.ts";
import type { Json, RelayEvent } from "../events/event.ts";
import { bytesOfEvent } from "../events/event-size.ts";
import { TOOL_CALL_MARK } from "../events/tool-call-mark.ts";
import { checkTexts } from "../given.ts";
import { buildTrajectory } from "./atif/build.ts";
import type { AtifAgent, AtifTrajectory } from "./atif/trajectory.ts";
import { Exporter, type ExporterOptions } from "./exporter.ts";

/** Whose trajectory it is. */
export interface AtifExporterOptions extends ExporterOptions {
  readonly sessionId: string;
  readonly agentName: string;
  readonly agentVersion: string;
  readonly modelName?: string;
  readonly toolDefinitions?: readonly Json[];
  readonly extra?: JsonObject;
  /** Marks that aren't kept. Default: `["llm.chunk", "llm.tool_call"]`: steps tell of both. */
  readonly markExcludeNames?: readonly string[];
}

/** What a trajectory's steps tell of themselves. */
export const toldBySteps: readonly string[] = ["llm.chunk", TOOL_CALL_MARK];

/** Keeps a session. */
export class AtifExporter extends Exporter {
  readonly #options: AtifExporterOptions;
  readonly #excluded: ReadonlySet<string>;
  #events: RelayEvent[] = [];
  #bytes = 0;
  #missing = 0;

  constructor(options: AtifExporterOptions) {
    super(options);
    checkTexts(options.markExcludeNames, "markExcludeNames");
    this.#options = options;
    this.#excluded = new Set(options.markExcludeNames ?? toldBySteps);
  }

  /** The trajectory so far. Flush first for what was emitted right before. */
  trajectory(): AtifTrajectory {
    const { sessionId } = this.#options;
    const agent = atifAgent(this.#options);
    return buildTrajectory({ sessionId, agent, missing: this.#missing }, this.#events);
  }

  /** The trajectory as JSON. */
  exportJson(): string {
    return JSON.stringify(this.trajectory(), undefined, 2);
  }

  /** Flushes, and writes the trajectory to a file. */
  async exportTo(path: string): Promise<void> {
    await this.forceFlush();
    const file = resolve(path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, this.exportJson(), { mode: 0o600 });
  }

  /** Forgets all events. */
  clear(): void {
    this.#events = [];
    this.#bytes = 0;
    this.#missing = 0;
  }

  protected take(event: RelayEvent): undefined {
    if (event.kind === "mark" && this.#excluded.has(event.name)) return;
    this.#events.push(event);
    this.#bytes += bytesOfEvent(event);
    const many = this.#events.length > limits.relayTrajectoryEvents;
    if (!many && this.#bytes <= limits.relayTrajectoryBytes) return;
    // In blocks: taking the first of a long list away moves all others.
    const gone = Math.ceil(this.#events.length / 10);
    for (const old of this.#events.slice(0, gone)) this.#bytes -= bytesOfEvent(old);
    this.#events = this.#events.slice(gone);
    this.#missing += gone;
  }

  protected drained(): Promise<void> {
    return Promise.resolve();
  }

  protected closed(): Promise<void> {
    return Promise.resolve();
  }
}

/** The agent of a trajectory. */
export function atifAgent(options: Omit<AtifExporterOptions, "sessionId">): AtifAgent {
  const { agentName, agentVersion, modelName, toolDefinitions, extra } = options;
  return {
    name: agentName,
    version: agentVersion,
    ...(modelName === undefined ? {} : { model_name: modelName }),
    ...(toolDefinitions === undefined ? {} : { tool_definitions: toolDefinitions }),
    ...(extra === undefined ? {} : { extra }),
  };
}
