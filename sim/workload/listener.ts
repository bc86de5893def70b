/**
 * Listener: events on one connection: once, in order, without a hole, unless the client was told of a gap.
 *
 * The actor numbers its broadcasts in its durable state. Over one link a subscriber gets consecutive numbers, whatever
 * else happens; over a reconnection the client says `gap` before the first event that may follow a hole.
 */
import type { ActorConnRaw } from "@troupe/client";
import type { Durability } from "../checkers/durability.ts";
import type { World } from "../world/world.ts";

/** Listens to one connection's events. */
export class Listener {
  readonly #world: World;
  readonly #durability: Durability;
  readonly #name: string;
  #last: number | undefined;
  readonly #heard = new Set<string>();

  constructor(world: World, durability: Durability, name: string, connection: ActorConnRaw) {
    this.#world = world;
    this.#durability = durability;
    this.#name = name;
    connection.on("tick", (...args: unknown[]) => this.#tick(args));
    connection.onGap(() => {
      world.counters.add("reconnect with a gap");
      this.#last = undefined;
    });
  }

  /** True when the event of this mark has come. */
  heard(mark: string): boolean {
    return this.#heard.has(mark);
  }

  #tick([seq, mark]: readonly unknown[]): void {
    const { counters } = this.#world;
    if (typeof seq !== "number" || typeof mark !== "string") {
      this.#world.fail("events", `${this.#name} got an event without its arguments`);
      return;
    }
    counters.add("an event arrived");
    this.#durability.mustBeSafe(mark, `${this.#name}, by an event,`);
    if (this.#heard.has(mark)) this.#world.fail("events", `${this.#name} got the event of ${mark} twice`);
    if (this.#last !== undefined && seq !== this.#last + 1) {
      this.#world.fail("events", `${this.#name} got event ${seq} after ${this.#last}`);
    }
    this.#heard.add(mark);
    this.#last = seq;
  }
}
