/** HostFigures: how many actors have woken, couldn't, and stopped, by their names. For `/metrics`. */
import type { StopReason } from "../ports/instance.ts";

/** How an actor's life went on. */
export type LifeEvent = "started" | "start_failed" | StopReason;

/** A count, and of what. */
export interface LifeCount {
  readonly name: string;
  readonly event: LifeEvent;
  readonly count: number;
}

/** Names are those of definitions. Remote hosts may bring any number: what is past this is counted under {@link OTHERS}. */
export const MOST_NAMES = 256;
/** No actor can be called so. */
export const OTHERS = "_other";

/** Those of one host, since it began. */
export class HostFigures {
  readonly #byName = new Map<string, Map<LifeEvent, number>>();

  count(name: string, event: LifeEvent): void {
    const known = this.nameOf(name);
    const events = this.#byName.get(known) ?? new Map<LifeEvent, number>();
    this.#byName.set(known, events);
    events.set(event, (events.get(event) ?? 0) + 1);
  }

  /** What `name` is counted under. */
  nameOf(name: string): string {
    return this.#byName.has(name) || this.#byName.size < MOST_NAMES ? name : OTHERS;
  }

  *[Symbol.iterator](): Generator<LifeCount> {
    for (const [name, events] of this.#byName)
      for (const [event, count] of events) yield { name, event, count };
  }
}
