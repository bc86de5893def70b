/**
 * Makes JavaScript of sources in TypeScript: their types become spaces, so that every place is where it was.
 *
 * A thread does it, one source after the other. What reads them is a parser that wasn't made for hostile texts: one that is
 * nested deeply breaks it for good, and one may keep it busy without an end. Then the thread is ended, that source
 * alone is refused, and the next one has a new thread. The isolates go on meanwhile.
 */
import { Worker } from "node:worker_threads";
import { limits } from "@troupe/protocol";
import type { IsolateOrder, Place } from "../wire.ts";
import { LoadError } from "./load-error.ts";
import { timeExceeded } from "./running-isolate.ts";

/** What the thread says of a source. */
export type StrippedSource =
  | { readonly text: string }
  | { readonly wrong: string; readonly place: Place | undefined }
  /** The parser is of no use any more. */
  | { readonly broken: string };

/** A thread that nobody needs has so long; its memory is what the longest source took. */
const REST_MS = 10_000;

const thread = new URL(`./type-thread.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);

/** One process's. */
export class TypeStripper {
  #worker: Worker | undefined;
  #answer: ((said: StrippedSource) => void) | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #rest: NodeJS.Timeout | undefined;

  /** The order with a source in JavaScript. Rejects with a LoadError. */
  strip(order: IsolateOrder): Promise<IsolateOrder> {
    const stripped = this.#last.then(() => this.#strip(order));
    this.#last = stripped.catch(() => undefined);
    return stripped;
  }

  async #strip(order: IsolateOrder): Promise<IsolateOrder> {
    clearTimeout(this.#rest);
    const limitMs = order.timeLimitMs + limits.isolateStuckMs;
    const said = await this.#ask(order.source, limitMs);
    if (said === undefined || "broken" in said) this.#end();
    this.#rest = setTimeout(() => this.#end(), REST_MS);
    if (said === undefined) throw new LoadError(timeExceeded(limitMs));
    if ("text" in said) return { ...order, source: said.text };
    const { place } = "wrong" in said ? said : { place: undefined };
    const message = "wrong" in said ? said.wrong : `It can't be read as TypeScript: ${said.broken}`;
    throw new LoadError({ code: "syntax_error", message, ...(place && { place }) });
  }

  /** Undefined: its time is over. */
  #ask(source: string, limitMs: number): Promise<StrippedSource | undefined> {
    this.#worker ??= this.#begin();
    this.#worker.postMessage(source);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), limitMs);
      this.#answer = (said) => {
        clearTimeout(timer);
        resolve(said);
      };
    });
  }

  #begin(): Worker {
    const worker = new Worker(thread);
    const heard = (said: StrippedSource): void => {
      if (this.#worker === worker) this.#answer?.(said);
    };
    worker.on("message", heard);
    worker.on("error", (cause) => heard({ broken: String(cause) }));
    worker.on("exit", (code) => heard({ broken: `its thread ended with ${code}` }));
    return worker;
  }

  #end(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
  }
}
