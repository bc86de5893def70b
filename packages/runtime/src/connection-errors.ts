import { error } from "./new-error.ts";

/** Errors of one client's connection. */
export const connectionErrors = {
  tooManySubscriptions: (limit: number) =>
    error(429, "connection", "too_many_subscriptions", `A connection can have ${limit} subscriptions`, {
      metadata: { limit },
    }),
  tooManyActions: (limit: number) =>
    error(429, "connection", "too_many_actions", `A connection can have ${limit} actions in flight`, {
      metadata: { limit },
      retryable: true,
    }),
  paramsTooLong: (bytes: number, limit: number) =>
    error(
      413,
      "connection",
      "params_too_long",
      `The connection parameters have ${bytes} bytes; the limit is ${limit}`,
      {
        metadata: { bytes, limit },
      },
    ),
  helloTooLong: (bytes: number, limit: number) =>
    error(413, "connection", "hello_too_long", `The hello has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  openingBacklog: () =>
    error(429, "connection", "opening_backlog", "Too much was sent before the connection was open"),
  heldTooMuch: () => error(503, "connection", "held_too_much", "Too much is held", { retryable: true }),
  helloTimeout: () => error(408, "connection", "hello_timeout", "No hello message came in time"),
  silent: () => error(408, "connection", "silent", "Nothing was heard from the client"),
  slowReader: (limit: number) =>
    error(503, "connection", "slow_reader", `The client left ${limit} bytes unread`, { retryable: true }),
  slowestReader: (limit: number) =>
    error(
      503,
      "connection",
      "slowest_reader",
      `All clients together left ${limit} bytes unread, and this one more than others`,
      { retryable: true },
    ),
  tooMany: (limit: number) =>
    error(503, "connection", "too_many", `The gateway has ${limit} open sockets`, { retryable: true }),
  actorStopped: () =>
    error(503, "actor", "restarting", "The actor stops; connect again", { retryable: true }),
};
