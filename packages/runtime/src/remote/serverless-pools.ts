/** `hosts.serverless`: pools that an engine could never ask anybody for are refused when the program says them. */
import { engineLimits, limits } from "@troupe/protocol";
import { DEFAULT_NAMESPACE } from "../engine/catalogue.ts";
import { isNamespaceName, NAMESPACE_NAME } from "../engine/namespace-name.ts";
import { isPoolName, POOL_NAME } from "../engine/pool.ts";
import { configErrors } from "../errors.ts";
import { checkKnownOptions } from "../known-options.ts";
import type { ServerlessPool } from "./allocator.ts";

const NAME = "hosts.serverless";
const keys = ["pool", "namespace", "url", "token", "headers", "lifespanMs"];
/** Headers that the engine's order has by itself. */
const OWN_HEADERS = ["authorization", "content-type"];

/** Throws `config.invalid_option`, `config.unknown_option`. `shared`: the token of hosts everywhere. */
export function checkServerless(pools: readonly ServerlessPool[], shared: string | undefined): void {
  if (!Array.isArray(pools)) throw configErrors.invalidOption(NAME, "a list of pools");
  const known = new Set<string>();
  for (const pool of pools) {
    checkKnownOptions(NAME, pool, keys);
    checkPool(pool, shared);
    // One of two addresses would never be asked.
    const place = `${pool.namespace ?? DEFAULT_NAMESPACE}/${pool.pool}`;
    if (known.has(place))
      throw configErrors.invalidOption(NAME, `one address for each pool: ${place} has two`);
    known.add(place);
  }
}

function checkPool(
  {
    pool,
    namespace,
    url,
    token,
    headers = {},
    lifespanMs = engineLimits.serverlessLifespanMs,
  }: ServerlessPool,
  shared: string | undefined,
): void {
  const most = limits.longestLifespanMs;
  const { invalidOption } = configErrors;
  if (!isPoolName(pool)) throw invalidOption(`${NAME}.pool`, POOL_NAME);
  if (namespace !== undefined && !isNamespaceName(namespace))
    throw invalidOption(`${NAME}.namespace`, NAMESPACE_NAME);
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw invalidOption(`${NAME}.url`, "an http or https address");
  const shown = token ?? shared;
  if (typeof shown !== "string" || shown === "")
    throw invalidOption(`${NAME}.token`, "given, or `hosts.token`");
  if (!areHeaders(headers))
    throw invalidOption(
      `${NAME}.headers`,
      `names and texts of HTTP headers, other than ${OWN_HEADERS.join(" and ")}`,
    );
  if (typeof lifespanMs !== "number" || !(lifespanMs >= 1_000 && lifespanMs <= most))
    throw invalidOption(`${NAME}.lifespanMs`, `a number from 1000 to ${most}`);
}

function areHeaders(headers: unknown): boolean {
  if (typeof headers !== "object" || headers === null) return false;
  if (!Object.values(headers).every((value) => typeof value === "string")) return false;
  try {
    const read = new Headers(Object.entries(headers));
    return !OWN_HEADERS.some((name) => read.has(name));
  } catch {
    return false;
  }
}
