/**
 * Instances that are told to leave their host: each sleeps in good order, with what it is doing, and its callers wait for its
 * next activation, which is placed on another host.
 *
 * They go in waves, so that thousands that leave don't hold up everybody else's calls.
 */
import type { Env } from "@troupe/base";

/** Instances that are told to leave in one turn. */
const WAVE = 64;

/** Those that run on a host, by number. */
export type Leaving = ReadonlyMap<number, { readonly leave: () => void }>;

/** Tells those with these numbers; `told` when all have been. */
export function tellToLeave(
  env: Pick<Env, "afterTurn">,
  instances: Leaving,
  numbers: readonly number[],
  told: () => void = () => {},
): void {
  env.afterTurn(() => {
    for (const number of numbers.slice(0, WAVE)) instances.get(number)?.leave();
    if (numbers.length > WAVE) tellToLeave(env, instances, numbers.slice(WAVE), told);
    else told();
  });
}
