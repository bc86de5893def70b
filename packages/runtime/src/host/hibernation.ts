import type { HibernatingClient, Hibernation } from "../ports/hibernation.ts";

const NONE: ReadonlyMap<string, HibernatingClient> = new Map();

/** Clients whose actor sleeps, in this process's memory: they are gone with it, as their sockets are. */
export class HibernatingClients implements Hibernation {
  readonly #actors = new Map<string, Map<string, HibernatingClient>>();

  keep(actorId: string, connectionId: string, client: HibernatingClient): void {
    const clients = this.#actors.get(actorId) ?? new Map<string, HibernatingClient>();
    this.#actors.set(actorId, clients.set(connectionId, client));
  }

  take(actorId: string): ReadonlyMap<string, HibernatingClient> {
    const clients = this.#actors.get(actorId);
    this.#actors.delete(actorId);
    return clients ?? NONE;
  }

  has(actorId: string): boolean {
    return this.#actors.has(actorId);
  }

  forget(actorId: string, connectionId: string): void {
    const clients = this.#actors.get(actorId);
    clients?.delete(connectionId);
    if (clients?.size === 0) this.#actors.delete(actorId);
  }
}
