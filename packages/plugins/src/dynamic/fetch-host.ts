/**
 * `fetch` of one dynamic actor's source, at the host's end: what its program granted is reached, and nothing else. Every request
 * takes the way out that a sandbox's takes (`@troupe/runtime/egress`), and ends with the activation at the latest.
 */
import { limits } from "@troupe/protocol";
import { HostAsk } from "@troupe/protocol/plugin/v1";
import { type Egress, type NetworkRequest, networkErrors } from "@troupe/runtime/egress";
import { hostErrors } from "../session/host-errors.ts";
import type { HostQuestion } from "../session/host-questions.ts";

/** One activation's. */
export class FetchHost {
  readonly #egress: Egress;
  /** Requests that have no answer, by the numbers of their questions. */
  readonly #open = new Map<number, AbortController>();

  constructor(egress: Egress) {
    this.#egress = egress;
  }

  answer({ call, ask, input }: HostQuestion): unknown {
    const asked = new Map(Object.entries(Object(input)));
    if (ask === HostAsk.ABORT_FETCH) return this.#abort(asked.get("call"));
    // Where two have one number, the first would be nobody's to end.
    if (call === 0 || this.#open.has(call)) throw hostErrors.askInvalid("call", "a number of its own");
    if (this.#open.size >= limits.isolateFetches) throw hostErrors.tooMany("fetches", limits.isolateFetches);
    return this.#fetch(call, requestOf(asked));
  }

  end(): void {
    for (const request of this.#open.values()) request.abort(networkErrors.closed());
  }

  #abort(call: unknown): null {
    if (typeof call === "number") this.#open.get(call)?.abort(networkErrors.closed());
    return null;
  }

  async #fetch(call: number, request: NetworkRequest): Promise<unknown> {
    const abort = new AbortController();
    this.#open.set(call, abort);
    try {
      return await this.#egress.fetch(request, abort.signal);
    } finally {
      this.#open.delete(call);
    }
  }
}

/** Throws `plugin.ask_invalid`. */
function requestOf(asked: ReadonlyMap<string, unknown>): NetworkRequest {
  const body = asked.get("body");
  const isBody =
    body === undefined || (body instanceof Uint8Array && body.length <= limits.isolateFetchBytes);
  if (!isBody) throw hostErrors.askInvalid("body", `at most ${limits.isolateFetchBytes} bytes`);
  return {
    url: textOf(asked.get("url"), "url"),
    method: textOf(asked.get("method"), "method"),
    headers: Object.fromEntries(
      Object.entries(Object(asked.get("headers"))).map(([name, value]) => [name, textOf(value, name)]),
    ),
    body,
    followRedirects: asked.get("followRedirects") === true,
    timeoutMs: undefined,
    responseBytes: limits.isolateFetchBytes,
  };
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw hostErrors.askInvalid(name, "a text");
}
