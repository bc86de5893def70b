/**
 * fetch for a place that has only the language. The host makes the request, when what the actor wrote before it is durable, and
 * when the program has granted where it goes: nothing here decides about that.
 */
import { limits } from "@troupe/protocol";
import { HostAsk } from "@troupe/protocol/plugin/v1";
import { asks } from "./asks.ts";
import { host } from "./host.ts";
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

async function fetched(request: object, signal: AbortSignal | undefined): Promise<Fetched> {
  const { call, answer } = asks.ask(HostAsk.FETCH, request);
  const aborted = (): void => {
    if (asks.forget(call, signal?.reason)) asks.tell(HostAsk.ABORT_FETCH, { call });
  };
  signal?.addEventListener("abort", aborted, { once: true });
  try {
    return (await answer) as Fetched;
  } finally {
    signal?.removeEventListener("abort", aborted);
  }
}

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
  const given = await fetched({ url, method, headers, body, followRedirects }, signal);
  const response = new FetchedResponse(given, url);
  if (redirect === "error" && response.status >= 300 && response.headers.has("location"))
    throw new TypeError(`${url} leads elsewhere`);
  return response;
}

function requestOf(to: unknown, options: FetchOptions): WebRequest {
  if (!(to instanceof WebRequest)) return new WebRequest(String(to), options);
  const { url, method, headers, body, signal } = to;
  return new WebRequest(url, { method, headers, body, ...(signal && { signal }), ...options });
}
