/**
 * Definitions of actors that run on remote hosts.
 */

import type { RemoteBehaviour } from "../actor/behaviour.ts";
import { checkSqlTimeLimit, UNDECLARED } from "../actor/carried/definition.ts";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { isPoolName, POOL_NAME } from "../engine/pool.ts";
import { configErrors } from "../errors.ts";
import { checkKnownOptions } from "../known-options.ts";

/** A definition of an actor whose code a remote host has. `D` is the definition there: its types are the client's. */
export type RemoteDefinition<D extends AnyActorDefinition> = Omit<D, "behaviour"> & {
  readonly behaviour: RemoteBehaviour;
};

/**
 * Places an actor on the remote hosts of a pool, for `setup({ use })`. The hosts bring its code; what it stores, its
 * connections and its alarms are this engine's. Throws `config.unknown_option`, `config.invalid_option`.
 */
export function remoteActor<D extends AnyActorDefinition = AnyActorDefinition>(
  options: {
    /** Default: "default". */
    readonly pool?: string;
    /** The definition on the host has `db`. Default: false. */
    readonly database?: boolean;
    /**
     * Its hosts aren't trusted: their SQL runs in a process of its own, as a plugin's does, and a text of it that takes longer than so many
     * milliseconds is ended with that process (`sql.timed_out`). Default: nothing ends it.
     */
    readonly sqlTimeLimitMs?: number;
  } = {},
): RemoteDefinition<D> {
  checkKnownOptions("remoteActor", options, ["pool", "database", "sqlTimeLimitMs"]);
  const { pool = "default", database = false, sqlTimeLimitMs: statementMs } = options;
  if (!isPoolName(pool)) throw configErrors.invalidOption("pool", POOL_NAME);
  if (typeof database !== "boolean") throw configErrors.invalidOption("database", "true or false");
  checkSqlTimeLimit(statementMs);
  if (statementMs !== undefined && !database)
    throw configErrors.invalidOption("sqlTimeLimitMs", "with `database: true`");
  const behaviour: RemoteBehaviour = Object.freeze({ kind: "remote", pool, database, statementMs });
  return Object.freeze({ descriptor: UNDECLARED, behaviour }) as RemoteDefinition<D>;
}
