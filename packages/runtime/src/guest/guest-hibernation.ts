/**
 * The clients that an earlier activation of a guest's actor has left with the host, as its next one finds them.
 */
import type { Sleeper } from "@troupe/protocol/actor/v1";
import type { HibernatingClient, Hibernation } from "../ports/hibernation.ts";
import type { GuestConnections } from "./guest-connections.ts";
import type { GuestSockets } from "./guest-sockets.ts";

/** One activation's. Those that it leaves itself are named with its last word. */
export class GuestHibernation implements Hibernation {
  readonly #connections: GuestConnections;
  readonly #sockets: GuestSockets;
  #sleepers: ReadonlyMap<string, HibernatingClient> = new Map();

  constructor(connections: GuestConnections, sockets: GuestSockets) {
    this.#connections = connections;
    this.#sockets = sockets;
  }

  /** What the host said of them, before the start. */
  arrived(sleepers: readonly Sleeper[]): void {
    const client = ({ connection, socket }: Sleeper): HibernatingClient =>
      socket === 0 ? this.#connections.client(connection) : this.#sockets.client(socket);
    this.#sleepers = new Map(sleepers.map((sleeper) => [sleeper.id, client(sleeper)]));
  }

  /** The host has them already. */
  keep(): void {}

  take(): ReadonlyMap<string, HibernatingClient> {
    const sleepers = this.#sleepers;
    this.#sleepers = new Map();
    return sleepers;
  }

  has(): boolean {
    return this.#sleepers.size > 0;
  }

  /** The host knows who is gone. */
  forget(): void {}
}
