/**
 * WaitGraph: who waits for whom among the serial actors of one process, so that a circle is an error and not a silence.
 *
 * A call that waits at an actor waits for the entry that is in there. Every entry in its chain waits for it in turn, or may:
 * a call that nobody awaits counts as well, for its promise may be awaited later, by whoever has it then, and nothing says
 * that it never will be. So from an entry one gets to the calls that have it in their chains, from those
 * to the actors where they wait, and to the entries that are in there. A call that would wait for an entry of its own chain
 * by this way would wait for ever.
 *
 * Only calls that wait are here. Each is looked at when it begins to wait, which is the moment when it could close a circle.
 */
import type { CallChain } from "../../ports/running-call.ts";

/** An actor that lets one in at a time. */
export interface SerialActor {
  /** As people know it. */
  readonly label: string;
  /** The entry that is in. */
  readonly inside: string | undefined;
}

/** A call that waits for its turn. */
export interface Wait {
  readonly chain: CallChain;
  readonly actor: SerialActor;
}

/** The calls that wait. */
export class WaitGraph {
  readonly #waits = new Set<Wait>();

  add(wait: Wait): void {
    this.#waits.add(wait);
  }

  remove(wait: Wait): void {
    this.#waits.delete(wait);
  }

  /** The actors of the circle that this call would close, the one that it waits for first and last. */
  circle(wait: Wait): readonly string[] | undefined {
    const own = new Set(wait.chain.map(({ entry }) => entry));
    return own.size === 0 ? undefined : this.#search(wait.actor, own, new Set());
  }

  #search(
    actor: SerialActor,
    own: ReadonlySet<string>,
    seen: Set<SerialActor>,
  ): readonly string[] | undefined {
    const { inside } = actor;
    if (inside === undefined || seen.has(actor)) return undefined;
    seen.add(actor);
    for (const next of this.#waits) {
      if (!next.chain.some(({ entry }) => entry === inside)) continue;
      const back = next.actor.inside;
      const rest =
        back !== undefined && own.has(back) ? [next.actor.label] : this.#search(next.actor, own, seen);
      if (rest !== undefined) return [actor.label, ...rest];
    }
    return undefined;
  }
}
