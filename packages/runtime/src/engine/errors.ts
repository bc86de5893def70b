/**
 * Errors of namespaces, and of what hosts bring.
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
};
