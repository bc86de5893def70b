/** Where a host belongs, as its program says it: what could never be is refused before anything is dialled. */
import { isPoolName, isProgramVersion, POOL_NAME, PROGRAM_VERSION } from "../engine/pool.ts";
import { configErrors } from "../errors.ts";

/** As given: a program in JavaScript may give anything. */
export interface GivenPlace {
  readonly endpoint?: unknown;
  readonly token?: unknown;
  readonly namespace?: unknown;
  readonly pool?: unknown;
  readonly programVersion?: unknown;
}

/** Throws `config.invalid_option`. */
export function checkHostPlace(given: GivenPlace): void {
  const { endpoint, token, namespace, pool = "default", programVersion = 0 } = given;
  const { invalidOption } = configErrors;
  // What would be dropped in silence is refused too: an engine is at a root, and `token` is all that a host shows.
  if (typeof endpoint !== "string" || !/^https?:\/\/[^/?#@]+\/?$/i.test(endpoint) || !URL.canParse(endpoint))
    throw invalidOption("endpoint", "an engine's address: http:// or https://, a name and a port");
  if (typeof token !== "string" || token === "") throw invalidOption("token", "the engine's `hosts.token`");
  if (namespace !== undefined && typeof namespace !== "string") throw invalidOption("namespace", "a name");
  if (!isPoolName(pool)) throw invalidOption("pool", POOL_NAME);
  if (!isProgramVersion(programVersion)) throw invalidOption("programVersion", PROGRAM_VERSION);
}
