/**
 * Placement: on which host of a pool an actor is started, and how long it waits for one.
 *
 * The newest version of the program that has the actor comes first; among its hosts the one with the fewest instances. A
 * version that was withdrawn gets no new actors, on hosts that connect later either: so a bad one is rolled back by
 * withdrawing it and draining its hosts.
 *
 * While no host has room an actor waits. In a pool of servers it is `starting`: one that stopped comes again by itself, or
 * never. In a serverless pool it is `allocating`: somebody has to ask the platform for a host, which takes longer. A pool
 * is of the kind of its last host. Pools are known here by their places: two namespaces may each have one of the same name.
 */
import { limits } from "@troupe/protocol";
import type { EngineSession } from "./engine-session.ts";

/** A pool of a namespace, by one text. */
export function placeOf(namespace: string, pool: string): string {
  return `${namespace}/${pool}`;
}

/** What an actor does that waits for a host. */
export type WaitState = "starting" | "allocating";

/** Chooses hosts. */
export class Placement {
  readonly #withdrawn = new Map<string, Set<number>>();
  readonly #serverless = new Set<string>();

  /** A host has come. */
  seen({ place, serverless }: EngineSession): void {
    if (serverless) this.#serverless.add(place);
    else this.#serverless.delete(place);
  }

  /** The pool's hosts have to be asked for, also before there was one. */
  allocated(place: string): void {
    this.#serverless.add(place);
  }

  /** No new actors on hosts with this version of the program. */
  withdraw(place: string, version: number): void {
    const versions = this.#withdrawn.get(place) ?? new Set();
    this.#withdrawn.set(place, versions.add(version));
  }

  /** Takes it back. */
  restore(place: string, version: number): void {
    this.#withdrawn.get(place)?.delete(version);
  }

  /** The host to start an actor on. */
  best(sessions: Iterable<EngineSession>, place: string, name: string): EngineSession | undefined {
    const withdrawn = this.#withdrawn.get(place);
    let best: EngineSession | undefined;
    for (const session of sessions) {
      if (!session.open || session.place !== place || session.carrier(name) === undefined) continue;
      if (withdrawn?.has(session.program) === true) continue;
      if (best === undefined || comesBefore(session, best)) best = session;
    }
    return best;
  }

  stateOf(place: string): WaitState {
    return this.#serverless.has(place) ? "allocating" : "starting";
  }

  waitMs(place: string): number {
    return this.stateOf(place) === "allocating" ? limits.hostAllocateMs : limits.hostWaitMs;
  }
}

function comesBefore(one: EngineSession, other: EngineSession): boolean {
  return one.program === other.program ? one.weight < other.weight : one.program > other.program;
}
