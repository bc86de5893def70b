/**
 * SharedActor: one connection for all components that show the same actor.
 *
 *   held ──▶ releasing ──▶ released      the last holder leaves; a moment later the connection is closed
 *    ▲            │
 *    └────────────┘                      somebody comes back in time: the connection was never gone
 *
 * Holders are mounted components and actions under way. React mounts, unmounts and mounts again in one go (StrictMode, a
 * changed key, a page that moves a component), and nobody in the room should see somebody leave and come for that.
 */
import type { TimerHandle, Timers } from "@troupe/base";
import type { AnyActorDefinition } from "../contract.ts";
import { clientErrors } from "../errors.ts";
import type { ActorConn, ActorConnStatus, ActorHandle, ClientRaw } from "../types.ts";
import type { AnyActorOptions } from "./options.ts";

/** How long a connection is kept for who may come back. Milliseconds. */
const RELEASE_DELAY_MS = 100;

/** What components see of an actor. A new object with each change, and only then. */
export interface ActorSnapshot {
  readonly handle: ActorHandle<AnyActorDefinition> | null;
  readonly connection: ActorConn<AnyActorDefinition> | null;
  readonly connStatus: ActorConnStatus;
  readonly error: Error | null;
}

/** An actor that nobody holds: what the server renders, and the first render of a component. */
export const IDLE_ACTOR: ActorSnapshot = { handle: null, connection: null, connStatus: "idle", error: null };

/** What a shared actor is made of. */
export interface SharedActorParts {
  readonly client: ClientRaw;
  readonly timers: Timers;
  readonly options: AnyActorOptions;
  /** The connection is closed: nobody may hold this object any more. */
  readonly onReleased: () => void;
}

/** A connection, who holds it, and who is told of its changes. */
export class SharedActor {
  readonly #parts: SharedActorParts;
  readonly #listeners = new Set<{ readonly changed: () => void }>();
  #snapshot: ActorSnapshot = IDLE_ACTOR;
  #holders = 0;
  #release: TimerHandle | undefined;

  /** Connects at once. What makes that impossible, a bad name or a disposed client, is the snapshot's error. */
  constructor(parts: SharedActorParts) {
    this.#parts = parts;
    try {
      this.#connect();
    } catch (error) {
      this.#snapshot = { ...this.#snapshot, connStatus: "disconnected", error: asError(error) };
    }
  }

  get snapshot(): ActorSnapshot {
    return this.#snapshot;
  }

  /** Keeps the connection until the function that it returns is called; calling that twice does nothing more. */
  hold(changed: () => void = () => {}): () => void {
    if (this.#release !== undefined) this.#parts.timers.clear(this.#release);
    this.#release = undefined;
    this.#holders += 1;
    const listener = { changed };
    this.#listeners.add(listener);
    return () => {
      if (this.#listeners.delete(listener)) this.#leave();
    };
  }

  #leave(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.#release = this.#parts.timers.set(() => {
      this.#parts.onReleased();
      void this.#snapshot.connection?.dispose();
    }, RELEASE_DELAY_MS);
  }

  #connect(): void {
    const { client, options } = this.#parts;
    const { name, key, params, createWithInput, createInRegion, noCreate } = options;
    const query = { ...(params === undefined ? {} : { params }) };
    const handle =
      noCreate === true
        ? client.get(name, key, query)
        : client.getOrCreate(name, key, {
            ...query,
            ...(createWithInput === undefined ? {} : { createWithInput }),
            ...(createInRegion === undefined ? {} : { createInRegion }),
          });
    const connection = handle.connect();
    this.#snapshot = { handle, connection, connStatus: connection.connStatus, error: null };
    connection.onStatusChange((connStatus) =>
      this.#change(connStatus === "connected" ? { connStatus, error: null } : { connStatus }),
    );
    connection.onError((error) => this.#change({ error }));
  }

  #change(change: Partial<ActorSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of [...this.#listeners]) listener.changed();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : clientErrors.connectFailed(error);
}
