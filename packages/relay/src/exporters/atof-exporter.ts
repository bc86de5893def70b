/**
 * AtofExporter: events as lines of JSON in a file.
 *
 * Lines are gathered while a write is on its way and written with one call. When more waits than `limits.relayExportBytes`
 * the subscriber waits as well: its queue fills and drops, and memory stays bounded. A write that fails loses its lines,
 * which is counted; the next event tries again.
 */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { resolve } from "node:path";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../errors.ts";
import type { RelayEvent } from "../events/event.ts";
import type { Registration, RegistrationOptions } from "../middleware/registration.ts";
import type { Relay } from "../relay.ts";

/** Where the file is. */
export interface AtofExporterOptions {
  /** Made if it isn't there. Default: the current directory. */
  readonly outputDirectory?: string;
  /** Default: `troupe-relay-events-YYYY-MM-DD-HH.MM.SS.jsonl`, in UTC. */
  readonly filename?: string;
  /** What becomes of a file that is there. Default: "append". */
  readonly mode?: "append" | "overwrite";
}

/** Writes events to a file. Register it with a relay, and shut it down in the end. */
export class AtofExporter {
  /** The file, absolute. */
  readonly path: string;
  readonly #directory: string;
  readonly #flags: "a" | "w";
  #file: Promise<FileHandle> | undefined = undefined;
  #registered: { readonly relay: Relay; readonly registration: Registration } | undefined = undefined;
  #lines: string[] = [];
  #bytes = 0;
  #writing: Promise<void> | undefined = undefined;
  #lost = 0;
  #failure: Error | undefined = undefined;
  #closed = false;

  constructor(options: AtofExporterOptions = {}) {
    this.#directory = resolve(options.outputDirectory ?? ".");
    this.path = resolve(this.#directory, options.filename ?? defaultName(new Date()));
    this.#flags = options.mode === "overwrite" ? "w" : "a";
  }

  /** Lines that couldn't be written. */
  get lost(): number {
    return this.#lost;
  }

  /** Subscribes to `relay`. One exporter, one relay. Throws `relay.name_taken`, `relay.exporter_closed`. */
  register(
    relay: Relay,
    name: string,
    options: Pick<RegistrationOptions, "scope" | "queueLimit"> = {},
  ): void {
    if (this.#closed) throw relayErrors.exporterClosed();
    if (this.#registered !== undefined) throw relayErrors.nameTaken("exporter registration", name);
    const handle = (event: RelayEvent): Promise<void> | undefined => this.#take(event);
    this.#registered = { relay, registration: relay.registerSubscriber(name, handle, options) };
  }

  /** False when it isn't registered. What was emitted before is still written. */
  deregister(): boolean {
    const removed = this.#registered?.registration.deregister() ?? false;
    this.#registered = undefined;
    return removed;
  }

  /** Settles when all that was emitted before is on disk. Throws `relay.export_failed` when lines were lost since. */
  async forceFlush(): Promise<void> {
    await this.#registered?.relay.flushSubscribers();
    await this.#writing;
    if (this.#failure === undefined && this.#file !== undefined) {
      const file = await this.#file;
      await file.datasync();
    }
    const cause = this.#failure;
    this.#failure = undefined;
    if (cause !== undefined) throw relayErrors.exportFailed(this.path, this.#lost, cause);
  }

  /** Flushes, deregisters and closes the file, whatever of it fails. A second time does nothing. */
  async shutdown(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.forceFlush();
    } finally {
      this.deregister();
      const file = await this.#file?.catch(() => undefined);
      this.#file = undefined;
      await file?.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #take(event: RelayEvent): Promise<void> | undefined {
    const line = `${JSON.stringify(event)}\n`;
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#writing ??= this.#write();
    return this.#bytes > limits.relayExportBytes ? this.#writing : undefined;
  }

  /** Never rejects: a failure is kept for whoever flushes. */
  async #write(): Promise<void> {
    while (this.#lines.length > 0) {
      const lines = this.#lines;
      this.#lines = [];
      this.#bytes = 0;
      try {
        const file = await this.#open();
        await file.appendFile(lines.join(""));
      } catch (error) {
        this.#lost += lines.length;
        this.#failure = error instanceof Error ? error : new Error(String(error));
      }
    }
    this.#writing = undefined;
  }

  async #open(): Promise<FileHandle> {
    this.#file ??= mkdir(this.#directory, { recursive: true }).then(() => open(this.path, this.#flags));
    try {
      return await this.#file;
    } catch (error) {
      this.#file = undefined;
      throw error;
    }
  }
}

/** The name that a file gets without one. */
function defaultName(now: Date): string {
  const [date = "", time = ""] = now.toISOString().split("T");
  return `troupe-relay-events-${date}-${time.slice(0, 8).replaceAll(":", ".")}.jsonl`;
}
