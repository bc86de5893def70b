import { clientErrors } from "../errors.ts";
import { ResultStream } from "./result-stream.ts";

/**
 * What the call of an action gives: a promise of its result, and, when the result comes in items, the items:
 * `for await (const item of handle.tokens("…"))`. Whether it does is known when it comes.
 */
export class ActionResult<T = unknown> extends Promise<T> implements AsyncIterable<unknown> {
  /** What `then` gives is a promise like any other. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    let stream: ResultStream | undefined;
    const open = async (): Promise<ResultStream> => {
      const result: unknown = await this;
      if (!(result instanceof ResultStream)) throw clientErrors.notAStream();
      stream = result;
      return result;
    };
    return {
      next: async () => await (stream ?? (await open())).next(),
      return: async () => await (stream ?? (await open())).return(),
    };
  }
}
