/** Errors of requests that stand between an agent and its model's provider, group `gateway`. */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(
  statusCode: number,
  code: string,
  message: string,
  options: TroupeErrorOptions = {},
): TroupeError {
  return new TroupeError("gateway", code, message, { statusCode, ...options });
}

/** Characters that an error tells of a key, and of what another one says. */
const MOST_OF_KEY = 100;
const MOST_OF_REASON = 300;

/** Group `gateway`. */
export const proxyErrors = {
  notFound: (path: string) => error(404, "not_found", `There is nothing at ${path}`),
  bodyTooLarge: (limit: number) =>
    error(413, "body_too_large", `The body is larger than ${limit} bytes`, { metadata: { limit } }),
  bodyCut: () => error(499, "body_cut", "The client went away before its body had ended"),
  bodyUnread: () =>
    error(
      400,
      "body_unread",
      "The request can't be read, and what guards the model must see it: send JSON in UTF-8, as it is or in gzip, deflate, br or zstd",
    ),
  keyRepeated: (key: string) =>
    error(
      400,
      "key_repeated",
      `The request says "${key.slice(0, MOST_OF_KEY)}" twice in one object, and what guards the model would see one of them: say it once`,
    ),
  bodyUnshown: ({ message, statusCode }: TroupeError, cause: unknown) =>
    error(
      statusCode,
      "body_unshown",
      `What guards the model can't be shown the request: ${message.slice(0, MOST_OF_REASON)}`,
      { cause },
    ),
  chunkUnshown: (cause: TroupeError) =>
    error(
      502,
      "chunk_unshown",
      `What goes around the model can't be shown what it streamed: ${cause.message.slice(0, MOST_OF_REASON)}`,
      { cause },
    ),
  chunkTooLong: (limit: number) =>
    error(
      502,
      "chunk_unshown",
      `What goes around the model can't be shown what it streamed: a part of it had no end within ${limit} characters`,
      { metadata: { limit } },
    ),
  noJson: (what: string, cause: unknown) =>
    error(500, "no_json", `A middleware made ${what} of what JSON can't say`, { cause }),
  badRequest: (reason: string) => error(400, "bad_request", reason),
  noUpstream: () =>
    error(503, "no_upstream", "No model provider is configured for this request: name an upstream"),
  badProxy: (variable: string) =>
    error(400, "bad_proxy", `${variable} must be the address of a proxy, as http://proxy.example:3128`, {
      metadata: { variable },
    }),
  upstreamUnreachable: (upstream: string, cause: unknown) =>
    error(502, "upstream_unreachable", `${upstream} can't be reached: ${reasonOf(cause)}`, { cause }),
  upstreamClosed: (upstream: string, cause: unknown) =>
    error(
      502,
      "upstream_closed",
      `${upstream} closed the connection without an answer (${reasonOf(cause)}): it may have read the request, which isn't sent again`,
      { cause },
    ),
  upstreamNoHttp: (upstream: string, cause: unknown) =>
    error(
      502,
      "upstream_no_http",
      `${upstream} answered with what isn't HTTP (${reasonOf(cause)}): it may have read the request, which isn't sent again`,
      { cause },
    ),
  proxyAsks: (upstream: string, variable: string, cause: unknown) =>
    error(
      502,
      "proxy_asks",
      `${upstream} can't be reached: the proxy wants to know who asks (407); ${variable} may say it, as http://user:password@proxy.example:3128`,
      { metadata: { variable }, cause },
    ),
  upstreamCut: (upstream: string, cause: unknown) =>
    error(502, "upstream_cut", `${upstream} closed the connection in the middle of its answer`, { cause }),
  upstreamUnread: (upstream: string, cause: unknown) =>
    error(
      502,
      "upstream_unread",
      `${upstream} streamed what can't be read (${reasonOf(cause)}), and an intercept would have to see it`,
      { cause },
    ),
  streamUnasked: (upstream: string) =>
    error(
      502,
      "stream_unasked",
      `${upstream} answered a request for one piece with a stream, and an intercept would have to see it: ask for a stream`,
    ),
  ended: (cause: unknown) => error(503, "stopping", "The gateway ended before the answer did", { cause }),
  answeredTwice: () =>
    error(500, "answered_twice", "A middleware called the provider again, after its answer had begun"),
};

/** What `write` makes of a middleware's own words. Throws `gateway.no_json` where it can't. */
export function asJson<T>(what: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw proxyErrors.noJson(what, cause);
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
