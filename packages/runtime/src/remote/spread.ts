/**
 * Spread: how many instances each host of a pool has too many, when another one has come.
 *
 * New actors go to the host with the fewest, and so do those that wake. Those that are never idle stay where they are: when a
 * host was lost, all of its actors are on the others, and the one that comes for it would have nothing to do. Hosts are
 * compared with those that run the same: one of another version, or with other actors, takes none of theirs.
 */
import type { EngineSession } from "./engine-session.ts";

type Host = Pick<EngineSession, "open" | "place" | "program" | "actors" | "load">;

/** How many instances the hosts like `newcomer` have beyond their share. */
export function surplusOf<H extends Host>(hosts: Iterable<H>, newcomer: H): ReadonlyMap<H, number> {
  const alike = [...hosts].filter(
    (host) =>
      host.open &&
      host.place === newcomer.place &&
      host.program === newcomer.program &&
      host.actors.join() === newcomer.actors.join(),
  );
  const all = alike.reduce((sum, { load }) => sum + load, 0);
  const share = Math.ceil(all / alike.length);
  return new Map(alike.filter(({ load }) => load > share).map((host) => [host, host.load - share]));
}
