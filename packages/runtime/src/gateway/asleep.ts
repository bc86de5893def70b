/**
 * Asleep: what the gateway has of a connection whose actor sleeps, or is about to.
 *
 * What its client says is held in order; the first of it wakes the actor. A connection that the stopping activation has
 * not let go of yet still ends through it; after that the host knows its client, and forgets it when it goes.
 */
import type { TimerHandle } from "@troupe/base";
import { type ClientFrame, closeCodes, closeReasons, toWireError } from "@troupe/protocol";
import type { ActorConnection, ActorInstance } from "../ports/instance.ts";
import type { Link } from "../ports/transport.ts";
import type { SocketCall } from "./calls.ts";
import { Held } from "./held.ts";
import { woken } from "./loaded.ts";
import { passing } from "./passing.ts";
import type { GatewayServices } from "./services.ts";
import { frameOf } from "./socket-actions.ts";

const NONE: readonly TimerHandle[] = [];

/** One connection between two activations. */
export class Asleep {
  readonly tag = "asleep";
  readonly actorId: string;
  readonly actorName: string;
  readonly maxBytes: number;
  /** Until the activation has let go of it. */
  connection: ActorConnection | undefined;
  readonly #services: GatewayServices;
  readonly #connectionId: string;
  /** What the activation has left to the next one: the client said it before all that is held. */
  #left: SocketCall[] | undefined;
  #held: Held<ClientFrame> | undefined;
  #waking = false;
  #timers: readonly TimerHandle[] = NONE;

  constructor(services: GatewayServices, instance: ActorInstance, connection: ActorConnection) {
    this.#services = services;
    // Not the whole record: many sockets sleep.
    this.actorId = instance.record.id;
    this.actorName = instance.record.name;
    this.maxBytes = connection.maxIncomingBytes;
    this.connection = connection;
    this.#connectionId = connection.id;
  }

  /**
   * Holds a frame. The first one wakes the actor, which asks for this client while it starts; `failed` gets why it
   * didn't. Throws `connection.held_too_much`.
   */
  hold(link: Link, frame: ClientFrame, bytes: number, failed: (cause: unknown) => void): void {
    this.#held ??= new Held(link, this.#services.held);
    this.#held.add(frame, bytes);
    this.#wake(failed);
  }

  /**
   * Takes back what the activation has left to the next one. A sender whose message is in the queue wakes nobody before
   * its time is over.
   */
  putBack(call: SocketCall, failed: (cause: unknown) => void): void {
    const { clock, timers } = this.#services.env;
    this.#left ??= [];
    this.#left.push(call);
    if (!call.waits) this.#wake(failed);
    else if (call.waitsUntil !== undefined) {
      const leftMs = Math.max(0, call.waitsUntil - clock.monotonic());
      const timer = timers.set(() => this.#wake(failed), leftMs, { background: true });
      this.#timers = [...this.#timers, timer];
    }
  }

  /** The link isn't read: nothing can be heard from its other end. */
  get full(): boolean {
    return this.#held?.paused === true;
  }

  /** Nobody waits any more for a call that was put back. */
  cancel(id: number): void {
    this.#left = this.#left?.filter((call) => call.id !== id);
  }

  /** The next activation takes what is held, in order. */
  *handOver(): Generator<readonly [frame: ClientFrame, bytes: number]> {
    this.#clearTimers();
    for (const call of this.#left ?? []) yield [frameOf(call, this.#services.env.clock), 0];
    for (const [index, frame, bytes] of this.#held ?? []) {
      this.#held?.release(index);
      yield [frame, bytes];
    }
  }

  /** The client is gone. */
  end(): void {
    this.#clearTimers();
    this.#held?.clear();
    this.#services.host.hibernation.forget(this.actorId, this.#connectionId);
  }

  #wake(failed: (cause: unknown) => void): void {
    if (this.#waking) return;
    this.#waking = true;
    woken(this.#services.host, this.actorId).catch(failed);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) this.#services.env.timers.clear(timer);
  }
}

/** How a socket ends whose actor couldn't be woken. Nothing of what was held was begun: its client may say it again. */
export function endOfUnwoken(
  services: GatewayServices,
  { actorId, actorName: actor }: Asleep,
  cause: unknown,
): { readonly code: number; readonly reason: string } {
  if (passing(cause)) return { code: closeCodes.restart, reason: closeReasons.restarting };
  const logId = services.report(cause, { connection: "not woken", actor, actorId });
  const { group, code, retryable } = toWireError(cause, false, logId);
  return { code: retryable ? closeCodes.tryLater : closeCodes.internal, reason: `${group}.${code}` };
}
