/**
 * Asleep: what the gateway has of a connection whose actor sleeps, or is about to.
 *
 * What its client says is held in order; the first of it wakes the actor. A connection that the stopping activation has
 * not let go of yet still ends through it; after that the host knows its client, and forgets it when it goes.
 */
import { type ClientFrame, closeCodes, closeReasons, toWireError } from "@troupe/protocol";
import type { ActorRecord } from "../ports/directory.ts";
import type { ActorConnection, ActorInstance } from "../ports/instance.ts";
import type { Link } from "../ports/transport.ts";
import { Held } from "./held.ts";
import { passing } from "./passing.ts";
import type { GatewayServices } from "./services.ts";

/** One connection between two activations. */
export class Asleep {
  readonly tag = "asleep";
  readonly actor: ActorRecord;
  readonly maxBytes: number;
  /** Until the activation has let go of it. */
  connection: ActorConnection | undefined;
  readonly #services: GatewayServices;
  readonly #connectionId: string;
  #held: Held<ClientFrame> | undefined;

  constructor(services: GatewayServices, instance: ActorInstance, connection: ActorConnection) {
    this.#services = services;
    this.actor = instance.record;
    this.maxBytes = connection.maxIncomingBytes;
    this.connection = connection;
    this.#connectionId = connection.id;
  }

  /**
   * Holds a frame. The first one wakes the actor, which asks for this client while it starts; `failed` gets why it
   * didn't. Throws `connection.held_too_much`.
   */
  hold(link: Link, frame: ClientFrame, bytes: number, failed: (cause: unknown) => void): void {
    const first = this.#held === undefined;
    this.#held ??= new Held(link, this.#services.held);
    this.#held.add(frame, bytes);
    if (first) this.#wake().catch(failed);
  }

  /** The next activation takes what is held, in order. */
  *handOver(): Generator<readonly [frame: ClientFrame, bytes: number]> {
    for (const [index, frame, bytes] of this.#held ?? []) {
      this.#held?.release(index);
      yield [frame, bytes];
    }
  }

  /** The client is gone. */
  end(): void {
    this.#held?.clear();
    this.#services.host.hibernation.forget(this.actor.id, this.#connectionId);
  }

  async #wake(): Promise<void> {
    await this.#services.host.load({ kind: "id", id: this.actor.id });
  }
}

/** How a socket ends whose actor couldn't be woken. Nothing of what was held was begun: its client may say it again. */
export function endOfUnwoken(
  services: GatewayServices,
  { actor }: Asleep,
  cause: unknown,
): { readonly code: number; readonly reason: string } {
  if (passing(cause)) return { code: closeCodes.restart, reason: closeReasons.restarting };
  const logId = services.report(cause, { connection: "not woken", actor: actor.name, actorId: actor.id });
  const { group, code, retryable } = toWireError(cause, false, logId);
  return { code: retryable ? closeCodes.tryLater : closeCodes.internal, reason: `${group}.${code}` };
}
