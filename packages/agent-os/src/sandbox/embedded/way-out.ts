/**
 * WayOut: how a worker asks for the network. Its shells have none: each request is a message to the runtime, which decides
 * and makes it.
 */
import type { NetworkResponse } from "@troupe/runtime/egress";
import type { SecureFetch } from "just-bash";
import type { FetchAnswer, FetchQuestion } from "./messages.ts";

interface Asked {
  readonly resolve: (response: NetworkResponse) => void;
  readonly reject: (error: Error) => void;
}

/** The requests of one worker. */
export class WayOut {
  readonly #ask: (question: FetchQuestion) => void;
  readonly #asked = new Map<number, Asked>();
  #count = 0;

  constructor(ask: (question: FetchQuestion) => void) {
    this.#ask = ask;
  }

  /** For just-bash. */
  readonly fetch: SecureFetch = async (url, options = {}) => {
    const { method = "GET", headers = {}, body, followRedirects = true, timeoutMs } = options;
    this.#count += 1;
    const question: FetchQuestion = {
      fetch: this.#count,
      request: {
        url,
        method,
        headers: Object.fromEntries(new Headers(headers)),
        body: body === undefined ? undefined : new TextEncoder().encode(body),
        followRedirects,
        timeoutMs,
      },
    };
    const response = await new Promise<NetworkResponse>((resolve, reject) => {
      this.#asked.set(question.fetch, { resolve, reject });
      this.#ask(question);
    });
    return { ...response, headers: { ...response.headers } };
  };

  answered({ fetched, response, failure }: FetchAnswer): void {
    const asked = this.#asked.get(fetched);
    this.#asked.delete(fetched);
    if (response !== undefined) asked?.resolve(response);
    else asked?.reject(new Error(failure));
  }
}
