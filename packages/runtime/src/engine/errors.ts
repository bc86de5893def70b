/**
 * Errors of an engine: of namespaces, of which hosts it takes, and of what they bring.
 */
import { error } from "../new-error.ts";

/** By `group.code`. */
export const engineErrors = {
  namespaceNotFound: (name: string) =>
    error(404, "namespace", "not_found", `There is no namespace "${name}" here`, { metadata: { name } }),
  namespaceTaken: (name: string) =>
    error(409, "namespace", "taken", `There is a namespace "${name}" already`, { metadata: { name } }),
  badNamespaceName: (name: unknown) =>
    error(
      400,
      "namespace",
      "invalid_name",
      "The name of a namespace has 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first",
      { metadata: { name: String(name).slice(0, 80) } },
    ),
  tooManyNamespaces: (limit: number) =>
    error(429, "namespace", "too_many", `There are ${limit} namespaces already`, { metadata: { limit } }),
  tooManyActors: (limit: number) =>
    error(
      429,
      "host",
      "too_many_actors",
      `Hosts have brought ${limit} names of actors and pools to this namespace`,
      { metadata: { limit } },
    ),
  badPoolName: (pool: string) =>
    error(400, "host", "invalid_pool", "The name of a pool has 1 to 128 characters, none of them a control", {
      metadata: { pool: pool.slice(0, 160) },
    }),
  notAllowed: (namespace: string, pool: string) =>
    error(
      403,
      "host",
      "not_allowed",
      `This token is not for hosts of pool "${pool}" in namespace "${namespace}"`,
      { metadata: { namespace, pool } },
    ),
  notBrought: (name: string) =>
    error(503, "host", "not_brought", `No remote host has brought an actor "${name}" yet`, {
      retryable: true,
      metadata: { name },
    }),
  noneAvailable: (pool: string, name: string, state: "starting" | "allocating", reason?: string) =>
    error(
      503,
      "host",
      "none_available",
      `No remote host in pool "${pool}" has the actor "${name}"${reason === undefined ? "" : ": none could be started"}`,
      {
        retryable: true,
        metadata: { pool, name, state },
        ...(reason === undefined ? {} : { cause: new Error(reason) }),
      },
    ),
  wrongToken: () =>
    error(
      401,
      "host",
      "wrong_token",
      "The engine doesn't know this token; give the host the engine's `hosts.token`",
    ),
  noHello: (ms: number) => error(408, "host", "no_hello", `The host said no Hello within ${ms} ms`),
  tooManyOpening: (limit: number) =>
    error(
      429,
      "host",
      "too_many_opening",
      `${limit} others have connected since, and this one has said no Hello`,
      {
        retryable: true,
        metadata: { limit },
      },
    ),
  superseded: (id: string) =>
    error(409, "host", "superseded", "The host has opened another connection since", {
      metadata: { hostId: id },
    }),
};
