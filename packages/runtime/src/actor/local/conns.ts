/** `c.conns`: the open connections, to look at. */
import type { Conn } from "../types/context.ts";

/** What it needs of a connection. */
interface Shown {
  readonly conn: Conn;
}

/** A view that follows what it shows, and changes nothing. */
export class Conns implements ReadonlyMap<string, Conn> {
  readonly #open: ReadonlyMap<string, Shown>;

  constructor(open: ReadonlyMap<string, Shown>) {
    this.#open = open;
  }

  get size(): number {
    return this.#open.size;
  }

  get(id: string): Conn | undefined {
    return this.#open.get(id)?.conn;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  keys(): MapIterator<string> {
    return this.#open.keys();
  }

  *values(): MapIterator<Conn> {
    for (const { conn } of this.#open.values()) yield conn;
  }

  *entries(): MapIterator<[string, Conn]> {
    for (const [id, { conn }] of this.#open) yield [id, conn];
  }

  [Symbol.iterator](): MapIterator<[string, Conn]> {
    return this.entries();
  }

  forEach(visit: (conn: Conn, id: string, conns: ReadonlyMap<string, Conn>) => void, self?: unknown): void {
    for (const [id, conn] of this.entries()) visit.call(self, conn, id, this);
  }
}
