/**
 * fetch for a place that has only the language. The host makes the request, when what the actor wrote before it is durable, and
 * when the program has granted where it goes: nothing here decides about that.
 */
import { limits } from "@troupe/protocol";
import { decodePayload, encodePayload, fromCarriedError } from "@troupe/protocol/actor/v1";
import { encodePluginFrame, HostAsk, type HostResult } from "@troupe/protocol/plugin/v1";
import { host, out } from "./host.ts";
import { type BodySource, WebRequest, WebResponse } from "./web-body.ts";
import type { HeadersSource } from "./web-headers.ts";

/** What a request may say beside its address. */
export interface FetchOptions {
  readonly method?: string;
  readonly headers?: HeadersSource;
  readonly body?: BodySource;
  readonly signal?: AbortSignal;
  /** Default: "follow". */
  readonly redirect?: "follow" | "manual" | "error";
}

/** What the host answers. */
interface Fetched {
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The answer of a server, after all redirects. */
class FetchedResponse extends WebResponse {
  readonly url: string;
  readonly redirected: boolean;

  constructor({ url, body, ...init }: Fetched, asked: string) {
    super(body.byteLength === 0 ? null : body, init);
    this.url = url;
    this.redirected = url !== asked;
  }
}

/** Those of the actor that have no answer. */
class Fetches {
  readonly #open = new Map<number, PromiseWithResolvers<Fetched>>();
  #last = 0;

  async ask(request: object, signal: AbortSignal | undefined): Promise<Fetched> {
    this.#last += 1;
    const call = this.#last;
    const answer = Promise.withResolvers<Fetched>();
    say(call, HostAsk.FETCH, request);
    this.#open.set(call, answer);
    const aborted = (): void => {
      if (!this.#open.delete(call)) return;
      say(0, HostAsk.ABORT_FETCH, { call });
      answer.reject(signal?.reason);
    };
    signal?.addEventListener("abort", aborted, { once: true });
    try {
      return await answer.promise;
    } finally {
      signal?.removeEventListener("abort", aborted);
    }
  }

  answered({ call, payload, error }: HostResult): void {
    const answer = this.#open.get(call);
    this.#open.delete(call);
    if (error !== undefined) answer?.reject(fromCarriedError(error, "cbor"));
    else answer?.resolve(decodePayload(payload, "cbor") as Fetched);
  }
}

/** The host's answers come here. */
export const fetches = new Fetches();

/** As the platform's, with a body that is whole. Rejects with `network.*`, and with a signal's reason. */
export async function webFetch(to: unknown, options: FetchOptions = {}): Promise<WebResponse> {
  const { redirect = "follow" } = options;
  const request = requestOf(to, options);
  const { url, method, signal } = request;
  signal?.throwIfAborted();
  const body = request.body === null ? undefined : await request.bytes();
  if (body !== undefined && body.byteLength > limits.isolateFetchBytes)
    throw new RangeError(`The body of a request has at most ${limits.isolateFetchBytes} bytes`);
  await host.departure();
  signal?.throwIfAborted();
  const headers = Object.fromEntries(request.headers);
  const followRedirects = redirect === "follow";
  const fetched = await fetches.ask({ url, method, headers, body, followRedirects }, signal);
  const response = new FetchedResponse(fetched, url);
  if (redirect === "error" && response.status >= 300 && response.headers.has("location"))
    throw new TypeError(`${url} leads elsewhere`);
  return response;
}

function requestOf(to: unknown, options: FetchOptions): WebRequest {
  if (!(to instanceof WebRequest)) return new WebRequest(String(to), options);
  const { url, method, headers, body, signal } = to;
  return new WebRequest(url, { method, headers, body, ...(signal && { signal }), ...options });
}

function say(call: number, ask: HostAsk, input: object): void {
  const value = { call, invoke: 0, ask, payload: encodePayload(input, "cbor") };
  out.frame(encodePluginFrame({ body: { $case: "hostCall", value } }));
}
