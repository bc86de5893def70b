/** A client of models: one call after the other, or many at once. */
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { question } from "./model-provider.ts";

/** How a call is made. */
export interface CallOptions {
  readonly streamed?: boolean;
  /** Of a stream: how long it should be. */
  readonly bytes?: number;
}

/** How many calls are made at once, and when it is enough: whatever comes first. */
export interface LoadOptions extends CallOptions {
  readonly callers: number;
  readonly ends: { readonly durationMs?: number; readonly calls?: number };
}

/** Keeps its connections. */
export class ModelClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #bodies = { whole: question(false), streamed: question(true) };

  /** Milliseconds to the first byte of the body, and to the last. */
  async call(
    base: string,
    { streamed = false, bytes }: CallOptions = {},
  ): Promise<{ first: number; last: number }> {
    const began = performance.now();
    const answer = await this.open(base, { streamed, ...(bytes === undefined ? {} : { bytes }) });
    let first = Number.NaN;
    answer.on("data", () => {
      if (Number.isNaN(first)) first = performance.now() - began;
    });
    await once(answer, "end");
    return { first, last: performance.now() - began };
  }

  /** The answer, when its head is there. */
  async open(base: string, { streamed = false, bytes }: CallOptions): Promise<IncomingMessage> {
    const body = streamed ? this.#bodies.streamed : this.#bodies.whole;
    const length = bytes === undefined ? {} : { "x-bench-bytes": `${bytes}` };
    const headers = { "content-type": "application/json", "content-length": body.length, ...length };
    const sent = request(`${base}/v1/messages${streamed ? "?stream" : ""}`, {
      method: "POST",
      agent: this.#agent,
      headers,
    });
    const answered: Promise<IncomingMessage[]> = once(sent, "response");
    sent.end(body);
    const [answer] = await answered;
    if (answer?.statusCode !== 200) throw new Error(`a model call was answered with ${answer?.statusCode}`);
    return answer;
  }

  /** `callers` call one after the other until the time is up or so many calls were made; calls a second. */
  async load(
    base: string,
    { callers, ends, ...options }: LoadOptions,
  ): Promise<{ rate: number; calls: number }> {
    const began = performance.now();
    const { durationMs = Number.POSITIVE_INFINITY, calls: most = Number.POSITIVE_INFINITY } = ends;
    let calls = 0;
    const caller = async (): Promise<void> => {
      while (calls < most && performance.now() - began < durationMs) {
        await this.call(base, options);
        calls += 1;
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return { rate: (calls / (performance.now() - began)) * 1_000, calls };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
