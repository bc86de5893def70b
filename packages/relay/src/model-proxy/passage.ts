/**
 * Passage: a request's way to its provider, and the answer's way to the client: while it comes, and as fast as the client takes it.
 *
 * It waits for a head, passes bytes on, and is over behind the last of them. Until the head is there a failure is the caller's to answer;
 * from then on, where either side is cut the other is cut too, so that nobody takes half an answer for all of it.
 *
 * A request that its connection didn't take goes out once more, on another one; see `lost-connection.ts`.
 */
import { AsyncResource } from "node:async_hooks";
import type { IncomingHttpHeaders } from "node:http";
import type { Writable } from "node:stream";
import { TroupeError } from "@troupe/base";
import { type Dispatcher, errors } from "undici";
import { proxyErrors } from "./errors.ts";
import { isDestroyed, isLost, wasNotSent } from "./lost-connection.ts";
import type { Upstream, UpstreamRequest } from "./upstream.ts";
import { YoungGarbage } from "./young-garbage.ts";

/** The first line and the headers of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** By name, in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value …, as they came. */
  readonly rawHeaders: readonly string[];
}

/** What takes an answer: a client's response, or whoever reads it as one. */
export interface AnswerSink extends Pick<Writable, "write" | "destroy" | "writableFinished" | "on" | "once"> {
  writeHead(status: number, text: string | undefined, headers: string[]): unknown;
  flushHeaders(): void;
  end(): unknown;
}

/** Where an answer goes. */
export interface Destination {
  readonly response: AnswerSink;
  /** Gives it up. */
  readonly signal: AbortSignal;
  /** Told of the head, in the scope of whoever asked; answers the headers that the client gets. What it throws ends the passage. */
  readonly head: (head: AnswerHead) => string[];
  /** Shown each chunk, when it is on its way. */
  readonly see?: (chunk: Buffer) => void;
}

/**
 * Settles behind the last byte. Throws `gateway.upstream_unreachable`, `gateway.upstream_closed`, what gave it up and what cut it.
 */
export function pass(upstream: Upstream, request: UpstreamRequest, to: Destination): Promise<void> {
  const passage = new Passage(upstream, request, to);
  upstream.dispatch(request, passage);
  return passage.over;
}

class Passage implements Dispatcher.DispatchHandler {
  readonly over: Promise<void>;
  readonly #upstream: Upstream;
  readonly #request: UpstreamRequest;
  readonly #to: Destination;
  readonly #settle: { readonly resolve: () => void; readonly reject: (cause: unknown) => void };
  /** A connection calls back in the scope of the call that has opened it, which may be somebody else's. */
  readonly #asked = new AsyncResource("Passage");
  readonly #garbage = new YoungGarbage();
  #controller: Dispatcher.DispatchController | undefined = undefined;
  /** It may go out once more: it hasn't yet, and nothing came back. */
  #repeatable: boolean;
  /** The client has got something of it, or will. */
  #begun = false;
  #wrote = false;
  #ended = false;

  constructor(upstream: Upstream, request: UpstreamRequest, to: Destination) {
    const { promise, ...settle } = Promise.withResolvers<void>();
    this.over = promise;
    this.#upstream = upstream;
    this.#request = request;
    // What a stream has given is gone.
    this.#repeatable = request.body === null || request.body instanceof Uint8Array;
    this.#to = to;
    this.#settle = settle;
    const { response, signal } = to;
    response.on("error", (cause) => this.#cut(cause));
    response.on("close", () => this.#closed());
    if (signal.aborted) this.#cut(signal.reason);
    else signal.addEventListener("abort", () => this.#cut(signal.reason), { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ended) controller.abort(new Error("given up before it was sent"));
  }

  onResponseStart(
    { rawHeaders }: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    text: string,
  ): void {
    this.#repeatable = false;
    // Early hints and the like: the answer is still to come.
    if (status < 200) return;
    const { response, head } = this.#to;
    const answer = { status, headers, rawHeaders: texts(rawHeaders) };
    const told = this.#asked.runInAsyncScope(head, undefined, answer);
    this.#begun = true;
    response.writeHead(status, isPlain.test(text) ? text : undefined, told);
    // With the first bytes, if they came along; alone, if the provider lets wait for them.
    process.nextTick(() => this.#wrote || this.#ended || response.flushHeaders());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response, see } = this.#to;
    this.#wrote = true;
    if (!response.write(chunk)) {
      controller.pause();
      response.once("drain", () => controller.resume());
    }
    see?.(chunk);
    this.#garbage.add(chunk.byteLength);
  }

  onResponseEnd(): void {
    this.#wrote = true;
    this.#to.response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    const begun = this.#controller !== undefined;
    if (this.#repeatable && !this.#ended && wasNotSent(cause, begun)) this.#repeat();
    else this.#cut(this.#begun ? this.#whoCut(cause) : cause);
  }

  #whoCut(cause: Error): Error {
    if (isDestroyed(cause)) return proxyErrors.ended(cause);
    const { name } = this.#upstream;
    if (cause instanceof errors.HTTPParserError) return proxyErrors.upstreamNoHttp(name, cause);
    return isLost(cause) ? proxyErrors.upstreamCut(name, cause) : cause;
  }

  #repeat(): void {
    this.#repeatable = false;
    this.#upstream.dispatch(this.#request, this);
  }

  #closed(): void {
    const { response, signal } = this.#to;
    if (!response.writableFinished) this.#cut(signal.reason ?? new Error("the client went away"));
    this.#ended = true;
    this.#settle.resolve();
  }

  #cut(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#controller?.abort(new Error("given up", { cause }));
    if (this.#begun) this.#to.response.destroy();
    this.#settle.reject(this.#begun ? cause : this.#reasonOf(cause));
  }

  /** Why there is no answer at all. */
  #reasonOf(cause: unknown): unknown {
    const { signal } = this.#to;
    if (signal.aborted) return signal.reason;
    if (TroupeError.is(cause)) return cause;
    const { name, proxy } = this.#upstream;
    // What a middleware made of the request is no request; of one that has begun, the proxy's agent calls a 407 that.
    if (cause instanceof errors.InvalidArgumentError)
      return proxy === undefined || this.#controller === undefined
        ? cause
        : proxyErrors.proxyAsks(name, proxy.variable, cause);
    if (cause instanceof errors.HTTPParserError) return proxyErrors.upstreamNoHttp(name, cause);
    return isLost(cause) && this.#controller !== undefined
      ? proxyErrors.upstreamClosed(name, cause)
      : proxyErrors.upstreamUnreachable(name, cause);
  }
}

/** What a first line may say behind its status. */
const isPlain = /^[\t\x20-\x7e]+$/;

/** Bytes are those of latin1, which is what Node writes them back as. */
function texts(raw: Dispatcher.DispatchController["rawHeaders"]): string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((text) => (typeof text === "string" ? text : text.toString("latin1")));
}
