/**
 * What `handle.fetch` is called with, as a path behind the actor's address and a request.
 */
import type { ActorFetchInit } from "../types.ts";

/** A call of `handle.fetch`, taken apart. */
export interface FetchRequest {
  /** Path and query. */
  readonly path: string;
  readonly init: RequestInit & { readonly headers: Headers };
  /** True when it can be sent again: nothing of its body is used up by sending it. */
  readonly replayable: boolean;
}

/** Takes the arguments of `handle.fetch` apart. Throws a TypeError for what is no request. */
export function fetchRequest(input: string | URL | Request, given: ActorFetchInit = {}): FetchRequest {
  const { skipReadyWait: _, ...init } = given;
  if (typeof input === "string") return requestOf(pathOf(input), init);
  if (input instanceof URL) return requestOf(input.pathname + input.search, init);
  return requestOf(pathOf(input.url), { ...partsOf(input), ...init }, input.headers);
}

function requestOf(path: string, init: RequestInit, inherited?: Headers): FetchRequest {
  const headers = new Headers(inherited);
  for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
  const streams = init.body instanceof ReadableStream;
  // A body that streams is half-duplex: the standard wants that said, in an option that not all types have.
  const whole = streams ? { ...init, headers, duplex: "half" } : { ...init, headers };
  return { path, init: whole, replayable: !streams };
}

/** Path and query of an absolute URL; a path is what it is. */
function pathOf(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  const { pathname, search } = new URL(text);
  return pathname + search;
}

/** What of a Request is sent on. */
function partsOf(request: Request): RequestInit {
  const { method, body, redirect, signal, cache, credentials, integrity, keepalive } = request;
  return {
    method,
    redirect,
    signal,
    cache,
    credentials,
    integrity,
    keepalive,
    ...(body === null ? {} : { body }),
  };
}
