/** Provider answer: an answer as a client would take it, for those here who read it before the client does. */
import { PassThrough } from "node:stream";
import { type AnswerHead, pass } from "./passage.ts";
import type { Upstream, UpstreamRequest } from "./upstream.ts";

/** Its bytes as they come, which fail where they are cut. */
export class ProviderAnswer extends PassThrough {
  readonly #head = Promise.withResolvers<AnswerHead>();

  private constructor() {
    super();
    // It may fail when nobody reads any more.
    this.on("error", () => {});
  }

  /** Asks for it; `signal` gives it up. */
  static to(upstream: Upstream, request: UpstreamRequest, signal: AbortSignal): ProviderAnswer {
    const answer = new ProviderAnswer();
    const { resolve, reject } = answer.#head;
    pass(upstream, request, {
      response: answer,
      // Its reader hears the reason, and not that it has ended.
      cut: (cause) =>
        answer.destroy(cause instanceof Error ? cause : new Error("the answer was cut", { cause })),
      signal,
      head: (known) => {
        resolve(known);
        return [];
      },
    }).catch((cause: Error) => {
      reject(cause);
      answer.destroy(cause);
    });
    return answer;
  }

  /** Throws what the upstream throws. */
  get head(): Promise<AnswerHead> {
    return this.#head.promise;
  }

  writeHead(): this {
    return this;
  }

  flushHeaders(): void {}
}
