/**
 * Errors of raw HTTP requests and of streamed actions.
 */
import { error } from "./new-error.ts";

/** Errors of raw HTTP requests. */
export const requestErrors = {
  clientGone: () => error(499, "request", "client_gone", "The client is gone, or doesn't want the rest"),
  bodyBroken: (cause: unknown) =>
    error(400, "request", "body_broken", "The request's body broke off before its end", { cause }),
  bodySilent: (limitMs: number) =>
    error(408, "request", "body_silent", `Nothing more of the request's body came for ${limitMs} ms`, {
      metadata: { limitMs },
    }),
  notAResponse: () =>
    error(500, "request", "no_response", "onRequest returned something else than a Response", {
      public: false,
    }),
  badResponse: (reason: string, cause?: unknown) =>
    error(500, "request", "bad_response", `onRequest returned a Response that can't be sent: ${reason}`, {
      public: false,
      cause,
    }),
  bodyFailed: (cause: unknown) =>
    error(500, "request", "answer_broken", "The answer's body broke off before its end", { cause }),
};

/** Errors of streams: results that come item by item, and bodies of answers. */
export const streamErrors = {
  stalled: (limitMs: number) =>
    error(408, "stream", "stalled", `The reader took nothing for ${limitMs} ms`, { metadata: { limitMs } }),
  cancelled: () => error(499, "stream", "cancelled", "The reader wants no more"),
};
