/**
 * Talker: somebody who speaks to one actor over a raw socket, in the actor's own protocol.
 *
 * It says one thing after the other and doesn't wait for replies. A socket that closes is one that it was told of: it
 * opens the next one. A socket that stays open and is whole must bring every reply, and at the end it does.
 */
import type { Durability } from "../checkers/durability.ts";
import type { History } from "../checkers/history.ts";
import type { Said, Sayings } from "../checkers/said.ts";
import { tokenWith } from "../checkers/tokens.ts";
import type { Network } from "../net/network.ts";
import { SimSocket } from "../net/socket.ts";
import type { SimProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";
import type { Address } from "./user.ts";

/** A reply that is so late on a whole socket never comes. */
const LATE_MS = 300_000;
const CONNECTING = 0;
const OPEN = 1;

/** What a talker is made of. */
export interface TalkerParts {
  readonly world: World;
  readonly process: SimProcess;
  readonly network: Network;
  readonly history: History;
  readonly durability: Durability;
  readonly sayings: Sayings;
  readonly address: Address;
  readonly name: string;
}

/** One socket of a talker's. */
interface Line {
  readonly socket: SimSocket;
  readonly number: number;
  readonly waiting: Map<string, Said>;
}

/** One talker. */
export class Talker {
  readonly #parts: TalkerParts;
  readonly #random: Random;
  #line: Line | undefined;

  constructor(parts: TalkerParts) {
    this.#parts = parts;
    this.#random = parts.process.random.fork();
  }

  /** Says all that it has to say, now and then after a long silence. */
  async work(): Promise<void> {
    const { world, process } = this.#parts;
    const { opsPerUser, thinkMs, sleepTimeoutMs } = world.options;
    for (let round = 0; round < opsPerUser; round += 1) {
      const pauseMs = this.#random.chance(0.3) ? sleepTimeoutMs * 2 : thinkMs;
      await process.sleep(this.#random.around(pauseMs));
      for (let more = this.#random.below(3); more >= 0; more -= 1) this.#say();
    }
  }

  /** After the faults: what is said on a socket that is whole is answered. */
  async farewell(): Promise<void> {
    const { world, process, name } = this.#parts;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      this.#line ??= this.#open();
      const line = this.#line;
      const until = world.now + LATE_MS;
      // One whose server died under its handshake hears nothing of it: who waits gives up, and comes again.
      const opens = () => line.socket.readyState === CONNECTING && line.socket.whole;
      await this.#while(() => opens() && world.now < until);
      this.#say();
      // Nothing is asked of it that it doesn't do by itself: so it is only looked at.
      await this.#while(() => this.#waits(line) && line.socket.whole && world.now < until);
      if (this.#waits(line) && line.socket.whole)
        world.fail("raw sockets", `${name}'s ${[...line.waiting.keys()].join()} never got a reply`);
      const answered = this.#line === line && line.waiting.size === 0;
      this.#hangUp();
      if (answered) return;
      await process.sleep(30_000);
    }
    world.fail("liveness", `${name}'s raw sockets fail for good`);
  }

  #say(): void {
    const { history, sayings, world, name } = this.#parts;
    this.#line ??= this.#open();
    const { socket, number, waiting } = this.#line;
    // What is said while it opens would be lost here already.
    if (socket.readyState !== OPEN) return;
    const token = history.token();
    waiting.set(token, sayings.say(token, number));
    world.trace.say(name, "says on its raw socket", token);
    socket.send(token);
  }

  #open(): Line {
    const { network, process, address, sayings, world, name } = this.#parts;
    world.trace.say(name, `opens a raw socket to ${address.name}/${address.key}`);
    const url = `ws://127.0.0.1:6420/actor/${address.name}/websocket/?troupe-key=${address.key}`;
    const line = {
      socket: new SimSocket(network, process, url),
      number: sayings.socket(),
      waiting: new Map(),
    };
    line.socket.addEventListener("message", ({ data }) => this.#replied(line, String(data)));
    line.socket.addEventListener("close", ({ code, reason }) => {
      world.trace.say(name, `is told that its raw socket closed: ${code} ${reason}`);
      if (this.#line === line) this.#line = undefined;
    });
    return line;
  }

  #replied(line: Line, mark: string): void {
    const { durability, name } = this.#parts;
    durability.mustBeSafe(mark, `${name}, by a reply on a raw socket,`);
    const token = tokenWith(mark, "said");
    const said = token === undefined ? undefined : line.waiting.get(token);
    if (said === undefined) return;
    said.replied = true;
    line.waiting.delete(said.token);
  }

  #waits(line: Line): boolean {
    return this.#line === line && line.waiting.size > 0;
  }

  async #while(goesOn: () => boolean): Promise<void> {
    while (goesOn()) await this.#parts.process.sleep(100);
  }

  #hangUp(): void {
    const line = this.#line;
    this.#line = undefined;
    line?.socket.close();
  }
}
