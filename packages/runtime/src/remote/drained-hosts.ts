/** Which of an engine's hosts are drained: what could mean none, or all by mistake, is refused. */
import { isPoolName, isProgramVersion, POOL_NAME, PROGRAM_VERSION } from "../engine/pool.ts";
import { configErrors } from "../errors.ts";
import { checkKnownOptions } from "../known-options.ts";

/** Which hosts are drained. What is left out doesn't matter. */
export interface DrainedHosts {
  /** A namespace, by its name. Default: every one. */
  readonly namespace?: string;
  readonly pool?: string;
  readonly hostId?: string;
  readonly programVersion?: number;
  /** Hosts with a version before this one. */
  readonly olderThan?: number;
}

const keys = ["namespace", "pool", "hostId", "programVersion", "olderThan"];

/** Throws `config.unknown_option`, `config.invalid_option`. */
export function checkDrained(which: DrainedHosts): void {
  checkKnownOptions("drain", which, keys);
  const { invalidOption } = configErrors;
  const { namespace, pool, hostId } = which;
  for (const [name, text] of Object.entries({ namespace, hostId }))
    if (text !== undefined && typeof text !== "string") throw invalidOption(name, "a text");
  if (pool !== undefined && !isPoolName(pool)) throw invalidOption("pool", POOL_NAME);
  for (const name of ["programVersion", "olderThan"] as const)
    if (which[name] !== undefined && !isProgramVersion(which[name]))
      throw invalidOption(name, PROGRAM_VERSION);
}
