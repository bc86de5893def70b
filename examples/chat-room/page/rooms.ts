/** The rooms of this tab: those that everybody sees, and any that was opened by its name, as in `/#kitchen`. */
import type { Client } from "troupe/client";
import type { registry } from "../server.ts";
import { Room } from "./room.ts";

const topics: Readonly<Record<string, string>> = {
  lobby: "Everybody starts here",
  ideas: "Half-baked is welcome",
  music: "What are you listening to?",
  garden: "Slow news and green things",
};

export class Rooms {
  readonly #client: Client<typeof registry>;
  readonly #me: string;
  readonly #changed: () => void;
  readonly #open = new Map<string, Room>();
  #current: Room;

  constructor(parts: { client: Client<typeof registry>; me: string; changed: () => void }) {
    this.#client = parts.client;
    this.#me = parts.me;
    this.#changed = parts.changed;
    for (const name of Object.keys(topics)) this.#room(name);
    this.#current = this.#room("lobby");
  }

  get all(): readonly Room[] {
    return [...this.#open.values()];
  }

  get current(): Room {
    return this.#current;
  }

  /** Shows the room that the address names. */
  follow(hash: string): void {
    const room = this.#room(roomName(decoded(hash.slice(1))) || "lobby");
    if (room !== this.#current) this.#current.enter(false);
    this.#current = room;
    room.enter(true);
    this.#changed();
  }

  #room(name: string): Room {
    let room = this.#open.get(name);
    if (room === undefined) {
      room = new Room({ client: this.#client, name, me: this.#me, changed: this.#changed });
      this.#open.set(name, room);
    }
    return room;
  }
}

/** What a room says of itself. */
export function topicOf(name: string): string {
  return topics[name] ?? "A room of your own: share its address";
}

/** "Tea & cake" → "tea-cake". Letters of every script stay. */
export function roomName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
}

/** Addresses are typed by hand too. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
