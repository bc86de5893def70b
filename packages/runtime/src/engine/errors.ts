/**
 * Errors of an engine: of namespaces, of which hosts it takes, and of what they bring.
 */
import { error } from "../new-error.ts";
import { NAMESPACE_NAME } from "./namespace-name.ts";
import { POOL_NAME } from "./pool.ts";

/** What somebody waits for. */
interface WantedHost {
  readonly pool: string;
  /** Its name. */
  readonly namespace: string;
  /** The actor's. */
  readonly name: string;
  readonly state: "starting" | "allocating";
}

/** By `group.code`. */
export const engineErrors = {
  namespaceNotFound: (name: string) =>
    error(404, "namespace", "not_found", `There is no namespace "${name}" here`, { metadata: { name } }),
  namespaceTaken: (name: string) =>
    error(409, "namespace", "taken", `There is a namespace "${name}" already`, { metadata: { name } }),
  badNamespaceName: (name: unknown) =>
    error(400, "namespace", "invalid_name", `The name of a namespace is ${NAMESPACE_NAME}`, {
      metadata: { name: String(name).slice(0, 80) },
    }),
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
    error(400, "host", "invalid_pool", `The name of a pool is ${POOL_NAME}`, {
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
  hostNotFound: (hostId: string) =>
    error(
      404,
      "host",
      "not_found",
      `There is no host "${hostId.slice(0, 80)}" here: it has gone, or never was`,
      {
        metadata: { hostId: hostId.slice(0, 80) },
      },
    ),
  /** `reason`: why none could be started. */
  noneAvailable: (wanted: WantedHost, reason?: string) =>
    error(
      503,
      "host",
      "none_available",
      `No remote host in pool "${wanted.pool}" of namespace "${wanted.namespace}" has the actor "${wanted.name}"${reason === undefined ? "" : ": none could be started"}`,
      {
        retryable: true,
        metadata: { ...wanted },
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
  notEnabled: () =>
    error(
      403,
      "host",
      "not_enabled",
      "This program takes no remote hosts: give its setup() `hosts: { token }`, or is it another one that was meant?",
    ),
  hostsMissing: (name: string) =>
    error(
      400,
      "config",
      "hosts_missing",
      `"${name}" is a remoteActor(), and no remote host can come: give setup() \`hosts: { token }\``,
      { metadata: { name } },
    ),
  noEngine: (url: string, status: number, server: string) =>
    error(
      502,
      "host",
      "no_engine",
      `What answers at ${url} is no Troupe engine: HTTP ${status}${server === "" ? "" : ` from ${server.slice(0, 80)}`}`,
      { retryable: true, metadata: { url, status } },
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
