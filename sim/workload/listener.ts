/**
 * Listener: events on one connection: once, in order, without a hole, unless the client was told of a gap.
 *
 * The actor numbers its broadcasts in its durable state. Over one link a subscriber gets consecutive numbers, whatever
 * else happens; over a reconnection the client says `gap` before the first event that may follow a hole. Of events that
 * are all retained there is never one: from the first that came on, everything comes.
 */
import type { ActorConnRaw } from "@troupe/client";
import type { Durability } from "../checkers/durability.ts";
import type { World } from "../world/world.ts";

const names = ["tick", "kept", "few"] as const;

/** Listens to one connection's events. */
export class Listener {
  readonly #world: World;
  readonly #durability: Durability;
  readonly #name: string;
  readonly #last = new Map<string, number>();
  readonly #heard = new Set<string>();
  /** Links so far, and the one that each event came on last. */
  #links = 0;
  readonly #linkOf = new Map<string, number>();

  constructor(world: World, durability: Durability, name: string, connection: ActorConnRaw) {
    this.#world = world;
    this.#durability = durability;
    this.#name = name;
    for (const event of names) connection.on(event, (...args: unknown[]) => this.#event(event, args));
    connection.onOpen(() => {
      this.#links = this.#links + 1;
    });
    connection.onGap(({ events }) => {
      world.counters.add("reconnect with a gap");
      if (events.includes("few")) world.counters.add("a gap of a retained event");
      // Never before the first one came: then nothing is known of where it began.
      if (events.includes("kept") && this.#last.has("kept") && world.options.mix.die === 0) {
        world.fail("events", `${name} was told of a gap in what is retained`);
      }
      for (const event of events) this.#last.delete(event);
    });
  }

  /** True when the event of this mark has come. */
  heard(mark: string): boolean {
    return this.#heard.has(`tick ${mark}`);
  }

  #event(event: string, [seq, mark]: readonly unknown[]): void {
    const { counters } = this.#world;
    if (typeof seq !== "number" || typeof mark !== "string") {
      this.#world.fail("events", `${this.#name} got an event without its arguments`);
      return;
    }
    counters.add("an event arrived");
    this.#durability.mustBeSafe(mark, `${this.#name}, by an event,`);
    if (this.#heard.has(`${event} ${mark}`)) {
      this.#world.fail("events", `${this.#name} got the event ${event} of ${mark} twice`);
    }
    const last = this.#last.get(event);
    if (last !== undefined && seq !== last + 1) {
      this.#world.fail("events", `${this.#name} got event ${event} ${seq} after ${last}`);
    }
    if (event !== "tick" && last !== undefined && this.#linkOf.get(event) !== this.#links) {
      counters.add("a retained event arrived late");
    }
    this.#heard.add(`${event} ${mark}`);
    this.#last.set(event, seq);
    this.#linkOf.set(event, this.#links);
  }
}
