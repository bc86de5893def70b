/**
 * Held: what a client that hibernates has said and its actor has not acknowledged.
 *
 * Messages are numbered from 1. They are held until they are released, over any number of activations. Past a limit the
 * link isn't read until half of it is left, so that the client's own sends wait; a link that can't be left unread is
 * closed by the caller, who catches `connection.held_too_much`: nothing is dropped in silence.
 */
import { limits } from "@troupe/protocol";
import { connectionErrors } from "../errors.ts";
import type { Link } from "../ports/transport.ts";

/** Bytes that all clients of a gateway hold together. */
export interface HeldTotal {
  bytes: number;
}

interface Item<T> {
  readonly item: T;
  readonly bytes: number;
}

/** The messages of one client, in order. */
export class Held<T> {
  readonly #link: Pick<Link, "pause" | "resume">;
  readonly #total: HeldTotal;
  readonly #items = new Map<number, Item<T>>();
  #newest = 0;
  #bytes = 0;
  #paused = false;

  constructor(link: Pick<Link, "pause" | "resume">, total: HeldTotal) {
    this.#link = link;
    this.#total = total;
  }

  get size(): number {
    return this.#items.size;
  }

  /** True while the link isn't read, so that nothing can be heard from its other end. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Returns its number. Throws `connection.held_too_much`. */
  add(item: T, bytes: number): number {
    const full = this.#items.size >= limits.heldMessagesMost || this.#overfull(bytes);
    if (full || this.#total.bytes + bytes > limits.gatewayHeldBytes) throw connectionErrors.heldTooMuch();
    this.#newest += 1;
    this.#items.set(this.#newest, { item, bytes });
    this.#count(bytes);
    const much = this.#items.size >= limits.heldMessages || this.#bytes >= limits.heldBytes;
    if (much && !this.#paused && this.#link.pause !== undefined) {
      this.#paused = true;
      this.#link.pause();
    }
    return this.#newest;
  }

  release(index: number): void {
    const held = this.#items.get(index);
    if (held === undefined) return;
    this.#items.delete(index);
    this.#count(-held.bytes);
    const little = this.#items.size <= limits.heldMessages / 2 && this.#bytes <= limits.heldBytes / 2;
    if (!this.#paused || !little) return;
    this.#paused = false;
    this.#link.resume?.();
  }

  /** The oldest first. One that is released meanwhile isn't missed. */
  *[Symbol.iterator](): Iterator<readonly [index: number, item: T, bytes: number]> {
    for (const [index, { item, bytes }] of this.#items) yield [index, item, bytes];
  }

  /** The client is gone. */
  clear(): void {
    this.#items.clear();
    this.#count(-this.#bytes);
  }

  /** A link that can't wait holds what one that can would, and not more. */
  #overfull(bytes: number): boolean {
    return this.#link.pause === undefined && this.#bytes > 0 && this.#bytes + bytes > limits.heldBytes;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#total.bytes += bytes;
  }
}
