/**
 * SharedActors: the actors that the components of one client hold, by the hash of their options.
 *
 * Nothing is made while React renders: a render may be thrown away, or happen on a server. An actor is here from the
 * moment that somebody mounts until a moment after the last one has left.
 */
import type { Timers } from "@troupe/base";
import { clientErrors } from "../errors.ts";
import type { ActionCall, ClientRaw } from "../types.ts";
import type { AnyActorOptions, SettledOptions } from "./options.ts";
import { type ActorSnapshot, IDLE_ACTOR, SharedActor } from "./shared-actor.ts";

/** Shared by the hooks of one `createRivetKit`. */
export class SharedActors {
  readonly #client: ClientRaw;
  readonly #timers: Timers;
  readonly #byHash = new Map<string, SharedActor>();

  constructor(client: ClientRaw, timers: Timers) {
    this.#client = client;
    this.#timers = timers;
  }

  /** What is known of an actor now; the same object until something changes. */
  snapshot(hash: string): ActorSnapshot {
    return this.#byHash.get(hash)?.snapshot ?? IDLE_ACTOR;
  }

  /** Holds the actor, connecting where nobody does yet, and calls `changed` with each change. */
  hold(hash: string, options: AnyActorOptions, changed?: () => void): () => void {
    return this.#at(hash, options).hold(changed);
  }

  /**
   * Calls an action on the shared connection, which stays for as long as the call takes, also when every component is
   * gone. Rejects with `client.not_enabled` where the options say `enabled: false`.
   */
  async call(hash: string, options: SettledOptions, call: ActionCall): Promise<unknown> {
    if (!options.enabled) throw clientErrors.notEnabled(`Action "${call.name}"`);
    const actor = this.#at(hash, options);
    const release = actor.hold();
    try {
      const { connection, error } = actor.snapshot;
      if (connection === null) throw error;
      return await connection.action(call);
    } finally {
      release();
    }
  }

  #at(hash: string, options: AnyActorOptions): SharedActor {
    const known = this.#byHash.get(hash);
    if (known !== undefined) return known;
    const made = new SharedActor({
      client: this.#client,
      timers: this.#timers,
      options,
      onReleased: () => this.#byHash.delete(hash),
    });
    this.#byHash.set(hash, made);
    return made;
  }
}
