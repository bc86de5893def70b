/**
 * AtofExporter: events as JSON, a line each, in a file or on their way to another process.
 *
 * An event becomes its line as soon as it is taken: a text that waits is all in one place, where an event would be some hundred objects
 * that the collector has to move. To a file lines are written together that come within some milliseconds: a write takes longer than what it writes. To other
 * processes they go in batches, with tries. What waits is bounded either way: see `delivery.ts`.
 */
import { resolve } from "node:path";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../errors.ts";
import type { Json, RelayEvent } from "../events/event.ts";
import { checkText } from "../given.ts";
import { Delivery } from "./delivery.ts";
import { Exporter, type ExporterOptions } from "./exporter.ts";
import { FileSink, type Sink } from "./file-sink.ts";
import { headersOf } from "./headers.ts";
import { HttpSink, withoutSecrets } from "./http-sink.ts";
import { WebSocketSink } from "./web-socket-sink.ts";

/** Events in a file. */
export interface AtofFileOptions extends ExporterOptions {
  readonly type?: "file";
  /** Made if it isn't there. Default: the current directory. */
  readonly outputDirectory?: string;
  /** Default: `troupe-relay-events-YYYY-MM-DD-HH.MM.SS.jsonl`, in UTC. */
  readonly filename?: string;
  /** What becomes of a file that is there. Default: "append". */
  readonly mode?: "append" | "overwrite";
  /** The file is put aside before it gets larger. Default: no limit. */
  readonly maxBytes?: number;
  /** How many that were put aside are kept. Default: 5. */
  readonly maxFiles?: number;
}

/** Events to another process. */
export interface AtofStreamOptions extends ExporterOptions {
  readonly type: "stream";
  readonly url: string;
  /** A list of events by POST, lines of JSON by POST, or a message for each. Default: "http_post". */
  readonly transport?: "http_post" | "ndjson" | "websocket";
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers whose values are those of environment variables: names of headers to names of variables. */
  readonly headerEnv?: Readonly<Record<string, string>>;
  /** What one batch may take. Default: 3,000. */
  readonly timeoutMillis?: number;
  /** "replace_dots" writes `_` for the dots in names of properties. Default: "preserve". */
  readonly fieldNamePolicy?: "preserve" | "replace_dots";
}

/** Where events go. */
export type AtofExporterOptions = AtofFileOptions | AtofStreamOptions;

const TIMEOUT_MS = 3_000;
const DELAY_MS = 500;
const FILE_DELAY_MS = 10;
const FILES = 5;
/** Of one of a line's characters, at most. */
const CHARACTER_BYTES = 2;

/** Writes or sends events. */
export class AtofExporter extends Exporter {
  /** The file, absolute; null for a stream. */
  readonly path: string | null;
  readonly #sink: Sink;
  readonly #delivery: Delivery<string>;
  readonly #replaceDots: boolean;

  constructor(options: AtofExporterOptions = {}) {
    super(options);
    const stream = options.type === "stream";
    this.path = stream ? null : filePath(options);
    this.#sink = stream ? streamSink(options) : fileSink(options, this.path ?? "");
    this.#replaceDots = stream && options.fieldNamePolicy === "replace_dots";
    this.#delivery = new Delivery({
      target: stream ? withoutSecrets(options.url) : (this.path ?? ""),
      send: (lines) => this.#sink.write(lines),
      weigh: (line) => CHARACTER_BYTES * line.length,
      limit: limits.relayExportBytes,
      delayMs: stream ? DELAY_MS : FILE_DELAY_MS,
      lingers: !stream,
      batch: stream ? limits.relayExportBatch : Number.POSITIVE_INFINITY,
    });
  }

  /** Events that couldn't be written or sent. */
  get lost(): number {
    return this.#delivery.lost;
  }

  protected take(event: RelayEvent): Promise<void> | undefined {
    return this.#delivery.add(JSON.stringify(this.#replaceDots ? withoutDots(event) : event));
  }

  protected async drained(): Promise<void> {
    await this.#delivery.flushed();
    await this.#sink.sync();
  }

  protected closed(): Promise<void> {
    this.#delivery.end();
    return this.#sink.close();
  }
}

function filePath({ outputDirectory = ".", filename = defaultName(new Date()) }: AtofFileOptions): string {
  checkText(outputDirectory, "outputDirectory");
  checkText(filename, "filename");
  return resolve(outputDirectory, filename);
}

function fileSink({ mode = "append", maxBytes, maxFiles = FILES }: AtofFileOptions, path: string): Sink {
  if (maxBytes !== undefined && !(typeof maxBytes === "number" && maxBytes > 0))
    throw relayErrors.optionInvalid("maxBytes", "above 0");
  if (!Number.isInteger(maxFiles) || maxFiles < 0) throw relayErrors.optionInvalid("maxFiles", "0 or more");
  return new FileSink({ path, mode, maxBytes, maxFiles });
}

function streamSink(options: AtofStreamOptions): Sink {
  const { url, transport = "http_post", timeoutMillis: timeoutMs = TIMEOUT_MS } = options;
  if (!URL.canParse(url)) throw relayErrors.optionInvalid("url", "an absolute address");
  // Errors of fetch quote the whole address.
  if (new URL(url).username !== "")
    throw relayErrors.optionInvalid("url", "without credentials: headers have them");
  const sink = { url, timeoutMs, headers: headersOf(options) };
  switch (transport) {
    case "websocket":
      return new WebSocketSink(sink);
    case "ndjson":
      return new HttpSink(sink, "ndjson");
    case "http_post":
      return new HttpSink(sink, "list");
    default:
      throw relayErrors.optionInvalid("transport", '"http_post", "ndjson" or "websocket"');
  }
}

/** The name that a file gets without one. */
function defaultName(now: Date): string {
  const [date = "", time = ""] = now.toISOString().split("T");
  return `troupe-relay-events-${date}-${time.slice(0, 8).replaceAll(":", ".")}.jsonl`;
}

function withoutDots(value: RelayEvent | Json): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutDots);
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key.replaceAll(".", "_"), withoutDots(field)]),
  );
}
