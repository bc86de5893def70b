import type { HibernatingClient, Hibernation } from "../ports/hibernation.ts";

const NONE: ReadonlyMap<string, HibernatingClient> = new Map();

/** The only client of its actor, as most are: a map of its own would be the largest part of what a sleeping one costs. */
interface Only {
  readonly connectionId: string;
  readonly client: HibernatingClient;
}

/** Clients whose actor sleeps, in this process's memory: they are gone with it, as their sockets are. */
export class HibernatingClients implements Hibernation {
  readonly #actors = new Map<string, Only | Map<string, HibernatingClient>>();

  /** Actors whose activation crashes as a process would. */
  readonly #lost = new Set<string>();

  /** What the activation leaves ends, as sockets do with their process. For tests that let one actor crash. */
  lose(actorId: string): void {
    this.#lost.add(actorId);
  }

  keep(actorId: string, connectionId: string, client: HibernatingClient): void {
    if (this.#lost.has(actorId)) {
      client.unknown();
      return;
    }
    if (this.#actors.has(actorId))
      this.#actors.set(actorId, this.#several(actorId).set(connectionId, client));
    else this.#actors.set(actorId, { connectionId, client });
  }

  take(actorId: string): ReadonlyMap<string, HibernatingClient> {
    this.#lost.delete(actorId);
    if (!this.#actors.has(actorId)) return NONE;
    const clients = this.#several(actorId);
    this.#actors.delete(actorId);
    return clients;
  }

  has(actorId: string): boolean {
    return this.#actors.has(actorId);
  }

  forget(actorId: string, connectionId: string): void {
    const known = this.#actors.get(actorId);
    if (known === undefined) return;
    if (!(known instanceof Map)) {
      if (known.connectionId === connectionId) this.#actors.delete(actorId);
      return;
    }
    known.delete(connectionId);
    if (known.size === 0) this.#actors.delete(actorId);
  }

  #several(actorId: string): Map<string, HibernatingClient> {
    const known = this.#actors.get(actorId);
    if (known instanceof Map) return known;
    return new Map(known === undefined ? [] : [[known.connectionId, known.client]]);
  }
}
