/**
 * WayOut: how a sandbox thread asks for the network. It has none: each request is a message to the runtime's thread, which
 * decides and makes it.
 */
import type { MessagePort } from "node:worker_threads";
import type { NetworkResponse } from "@troupe/runtime/egress";
import type { SecureFetch } from "just-bash";
import type { FetchAnswer, FetchQuestion } from "./messages.ts";

interface Asked {
  readonly resolve: (response: NetworkResponse) => void;
  readonly reject: (error: Error) => void;
}

/** The requests of one thread. */
export class WayOut {
  readonly #port: MessagePort;
  readonly #asked = new Map<number, Asked>();
  #count = 0;

  constructor(port: MessagePort) {
    this.#port = port;
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
      this.#port.postMessage(question);
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
