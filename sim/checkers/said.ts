/**
 * What is said on raw sockets, and what became of it.
 *
 * A message on a socket that stays open is handled, in the order of its saying, however often its actor sleeps meanwhile.
 * It may be heard again until it is acknowledged, and never after that: a reply leaves with the end of its handler, so who
 * has heard one knows that the message isn't said to the actor again. When a socket closes, its client is told that it
 * closed, and what had no reply is anybody's guess.
 */
import type { World } from "../world/world.ts";
import type { Durability } from "./durability.ts";
import { markOf, tokenWith } from "./tokens.ts";

/** A message of one socket. */
export interface Said {
  readonly token: string;
  /** The socket, of all that there were. */
  readonly socket: number;
  replied: boolean;
}

/** All messages of a run. */
export class Sayings {
  readonly #said = new Map<string, Said>();
  #sockets = 0;

  /** The number of a new socket. */
  socket(): number {
    this.#sockets += 1;
    return this.#sockets;
  }

  say(token: string, socket: number): Said {
    const said = { token, socket, replied: false };
    this.#said.set(token, said);
    return said;
  }

  /** The actor hears a message: for the first time, or not. */
  heard(world: World, token: string): void {
    if (this.#said.get(token)?.replied === true)
      world.fail("raw sockets", `${token} is heard again after its reply`);
  }

  /** Of two messages of one socket the first comes first. */
  judge(world: World, durability: Durability): void {
    for (const log of durability.logs.values()) {
      const newest = new Map<number, string>();
      for (const mark of log) {
        const token = tokenWith(mark, "said");
        const said = token === undefined ? undefined : this.#said.get(token);
        if (said === undefined) continue;
        const before = newest.get(said.socket);
        if (before !== undefined && numberOf(before) > numberOf(said.token))
          world.fail("raw sockets", `${said.token} was said before ${before}, and came after it`);
        newest.set(said.socket, said.token);
      }
    }
    for (const { token, replied } of this.#said.values()) {
      if (replied) durability.mustBeSafe(markOf(token, "said"), "a reply on a raw socket");
    }
  }
}

function numberOf(token: string): number {
  return Number(token.slice(1));
}
