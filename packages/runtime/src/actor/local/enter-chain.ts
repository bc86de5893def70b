/**
 * A chain of calls of an actor with a database: what its statements have begun and not ended is undone when it ends.
 *
 * Where the platform has no async context, chains aren't told apart behind their first await: there `BEGIN` belongs to the
 * actor as a whole, and is undone by its time alone.
 */
import type { Logger } from "@troupe/base";
import { SqlChain } from "../../sql/chain.ts";
import { sqlErrors } from "../../sql/errors.ts";
import type { ActivationServices } from "./activation-services.ts";

/** Runs `fn` as a chain of its own. */
export function enterChain<R>(
  owner: { readonly log: Logger },
  { env, sqlChain }: Pick<ActivationServices, "env" | "sqlChain">,
  fn: () => R,
): R {
  if (!env.asyncContext.follows) return fn();
  const chain = new SqlChain(owner);
  const end = (): void => {
    if (chain.innermost !== undefined) void finish(chain, owner.log);
  };
  let result: R;
  try {
    result = sqlChain.run(chain, fn);
  } catch (cause) {
    end();
    throw cause;
  }
  if (result instanceof Promise) result.then(end, end);
  else end();
  return result;
}

/** Never rejects. */
async function finish(chain: SqlChain, log: Logger): Promise<void> {
  try {
    if (!(await chain.end())) return;
    log.error("a transaction was left open", { cause: sqlErrors.transactionUnfinished() });
  } catch (cause) {
    // Its batch is lost, and says so itself.
    log.error("a transaction that was left open can't be undone", { cause });
  }
}
