/**
 * What a connection's user has subscribed to, whatever happens to its links: names of events and their listeners.
 * Each session brings its own link up to date with this (session.ts).
 */
import { limits } from "@troupe/protocol";
import { clientErrors } from "../errors.ts";
import { Callbacks } from "./callbacks.ts";

type Listener = (...args: unknown[]) => void;

/** How far a retained event was heard. */
export interface Place {
  readonly actorId: string;
  readonly after: number;
}

/** The subscriptions of one connection. */
export class Subscriptions {
  readonly #events = new Map<string, Callbacks<unknown[]>>();
  /** Events whose subscription was in force on an earlier session: of these, some may have been missed. */
  readonly #established = new Set<string>();
  /** Retained events, of which nothing is missed while their actor has them. */
  readonly #places = new Map<string, Place>();
  readonly #failed: (event: string, error: unknown) => void;
  #version = 0;

  constructor(failed: (event: string, error: unknown) => void) {
    this.#failed = failed;
  }

  /** Grows with each change of the set of events. */
  get version(): number {
    return this.#version;
  }

  get events(): Iterable<string> {
    return this.#events.keys();
  }

  has(event: string): boolean {
    return this.#events.has(event);
  }

  /** Throws `client.queue_full` past the number of events that a gateway takes. */
  add(event: string, listener: Listener): () => void {
    const callbacks = this.#events.get(event) ?? this.#subscribe(event);
    const remove = callbacks.add(listener);
    return () => {
      remove();
      if (callbacks.size === 0 && this.#events.get(event) === callbacks) this.#unsubscribe(event);
    };
  }

  emit(event: string, args: readonly unknown[]): void {
    this.#events.get(event)?.emit(...args);
  }

  /** A retained event: one that was heard before isn't emitted again. */
  emitRetained(event: string, args: readonly unknown[], place: Place): void {
    const before = this.#places.get(event);
    if (before?.actorId === place.actorId && place.after <= before.after) return;
    if (!this.#events.has(event)) return;
    this.#places.set(event, place);
    this.emit(event, args);
  }

  /** How far an event was heard; `undefined` for one that isn't retained. */
  place(event: string): Place | undefined {
    return this.#places.get(event);
  }

  /** From here on its events come; `undefined`: it isn't retained. */
  placed(event: string, place: Place | undefined): void {
    if (place === undefined) this.#places.delete(event);
    else if (this.#events.has(event)) this.#places.set(event, place);
  }

  /** A session has put the subscription in force. */
  established(event: string): void {
    this.#established.add(event);
  }

  /**
   * The actor has refused the subscription, or broke before it was in force: there is nothing to miss. How far a retained
   * event was heard stays known: a later session resumes there.
   */
  refused(event: string): void {
    this.#established.delete(event);
  }

  /** The events that a reconnection leaves a gap in. What becomes of retained ones their actor says. */
  gap(): string[] {
    return [...this.#established].filter((event) => !this.#places.has(event));
  }

  #subscribe(event: string): Callbacks<unknown[]> {
    if (this.#events.size >= limits.connectionSubscriptions) {
      throw clientErrors.queueFull("subscriptions", limits.connectionSubscriptions);
    }
    const callbacks = new Callbacks<unknown[]>((error) => this.#failed(event, error));
    this.#events.set(event, callbacks);
    this.#version += 1;
    return callbacks;
  }

  #unsubscribe(event: string): void {
    this.#events.delete(event);
    this.#established.delete(event);
    this.#places.delete(event);
    this.#version += 1;
  }
}
