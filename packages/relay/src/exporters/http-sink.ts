/** HttpSink: batches of lines as requests, each of them whole: a list of JSON, or lines of it. */
import { relayErrors } from "../errors.ts";
import type { Sink } from "./file-sink.ts";

/** Where to, and how. */
export interface StreamSinkOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What one batch may take. */
  readonly timeoutMs: number;
}

/** Batches as requests. */
export class HttpSink implements Sink {
  readonly #options: StreamSinkOptions;
  readonly #ndjson: boolean;

  constructor(options: StreamSinkOptions, format: "list" | "ndjson") {
    this.#options = options;
    this.#ndjson = format === "ndjson";
  }

  async write(lines: readonly string[]): Promise<void> {
    const { url, headers, timeoutMs } = this.#options;
    const type = this.#ndjson ? "application/x-ndjson" : "application/json";
    let status: number;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": type },
        body: this.#ndjson ? lines.map((line) => `${line}\n`).join("") : `[${lines.join(",")}]`,
        signal: AbortSignal.timeout(timeoutMs),
        redirect: "error",
      });
      status = response.status;
      await response.body?.cancel();
    } catch (cause) {
      throw relayErrors.unreachable(withoutSecrets(url), cause);
    }
    if (status < 200 || status > 299) throw relayErrors.exportRefused(withoutSecrets(url), status);
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** An address for errors: without user, password and query. */
export function withoutSecrets(url: string): string {
  const { origin, pathname, protocol, host } = new URL(url);
  return `${origin === "null" ? `${protocol}//${host}` : origin}${pathname}`;
}
