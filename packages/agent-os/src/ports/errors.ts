import { error, textOf } from "../errors.ts";

/** Errors of ports of a sandbox. */
export const portErrors = {
  closed: (port: number, cause: unknown) =>
    error(502, "port", "closed", `Nobody in the sandbox answers on port ${port}`, {
      metadata: { port },
      cause,
    }),
  /** What answers says something that HTTP doesn't have. */
  answerInvalid: (port: number, cause: unknown) =>
    error(502, "port", "answer_invalid", `What answers on port ${port} speaks no HTTP: ${textOf(cause)}`, {
      metadata: { port },
      cause,
    }),
  answerCut: (port: number, cause: unknown) =>
    error(502, "port", "answer_cut", `The answer of port ${port} broke off`, { metadata: { port }, cause }),
  timedOut: (port: number, timeoutMs: number) =>
    error(504, "port", "timed_out", `No answer on port ${port} within ${timeoutMs} ms`, {
      metadata: { port, timeoutMs },
    }),
  answerTooLarge: (limit: number) =>
    error(502, "port", "answer_too_large", `The answer is longer than ${limit} bytes: take a preview URL`, {
      metadata: { limit },
    }),
  messageTooLong: (limit: number) =>
    error(502, "port", "message_too_long", `A message from inside is longer than ${limit} bytes`, {
      metadata: { limit },
    }),
  slowReader: (port: number) =>
    error(503, "port", "slow_reader", `Who listens on port ${port} doesn't read what it is sent`, {
      metadata: { port },
    }),
  noPreview: () => error(404, "port", "no_preview", "There is no such preview, or it has expired"),
  tooManyPreviews: (limit: number) =>
    error(429, "port", "too_many_previews", `${limit} preview URLs are good: take one back`, {
      metadata: { limit },
    }),
};
