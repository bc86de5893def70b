/**
 * A chain of calls of an actor with a database: what its statements have begun and not ended is undone when it ends.
 *
 * Where the platform has no async context, chains aren't told apart behind their first await: there `BEGIN` belongs to the
 * actor as a whole, and is undone by its time alone.
 */
import type { Logger } from "@troupe/base";
import { SqlChain } from "../../sql/chain.ts";
import { sqlErrors } from "../../sql/errors.ts";
import type { ActivationServices, Running } from "./activation-services.ts";
import { comesInPieces } from "./pieces.ts";

/**
 * Runs `fn` as a chain of its own; as a part of the flow's where `running` has one. A chain that is open when its call's
 * code has returned what comes in pieces goes on with them.
 */
export function enterChain<R>(
  owner: { readonly log: Logger },
  { env, sqlChain }: Pick<ActivationServices, "env" | "sqlChain">,
  running: Running,
  fn: () => R,
): R {
  if (!env.asyncContext.follows) return fn();
  if (running.flow !== undefined) return sqlChain.run(running.flow, fn);
  const chain = new SqlChain(owner);
  const end = (returned?: unknown): void => {
    if (chain.innermost === undefined) return;
    // Nobody asks for the pieces of a call that was given up.
    if (running.aborted === false && comesInPieces(returned)) running.flow = chain;
    else void finishChain(chain, owner.log);
  };
  let result: R;
  try {
    result = sqlChain.run(chain, fn);
  } catch (cause) {
    end();
    throw cause;
  }
  if (result instanceof Promise) result.then(end, () => end());
  else end(result);
  return result;
}

/** Undoes what a chain has left open, and says so. Never rejects. */
export async function finishChain(chain: SqlChain, log: Logger): Promise<void> {
  try {
    if (!(await chain.end())) return;
    log.error("a transaction was left open", { cause: sqlErrors.transactionUnfinished() });
  } catch (cause) {
    // Its batch is lost, and says so itself.
    log.error("a transaction that was left open can't be undone", { cause });
  }
}
