/** What is long to do on the runtime's thread is done in pages, and between two of them everybody else has a turn. */
import { setImmediate } from "node:timers/promises";
import { limits } from "@troupe/protocol";

/** Some of a list at a time, from its beginning. */
export async function* inTurns<T>(all: readonly T[]): AsyncGenerator<readonly T[]> {
  const most = limits.sandboxTurnPaths;
  for (let from = 0; from < all.length; from += most) {
    if (from > 0) await setImmediate();
    yield all.slice(from, from + most);
  }
}
