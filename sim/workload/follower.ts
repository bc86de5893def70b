/**
 * Follower: somebody who follows an actor's session by production's `subscribe`, and now and then has something said in it.
 *
 * Its connection may be lost at any time; now and then it leaves by itself, and goes on where it was. At the end it has heard all that it
 * knows to be there, and so has one who comes only then.
 */
import type { ActorConn, AnyActorDefinition, Client } from "@troupe/client";
import { type Entry, subscribe } from "../../packages/agent-os/src/client.ts";
import { SESSION } from "../actors/session.ts";
import type { Durability } from "../checkers/durability.ts";
import { Heard } from "../checkers/heard.ts";
import type { History } from "../checkers/history.ts";
import { markOf, marksIn } from "../checkers/tokens.ts";
import type { SimProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";
import type { Address } from "./user.ts";

/** What hasn't come by then, without faults, never comes. */
const LATE_MS = 300_000;
const ATTEMPTS = 20;

/** What a follower is made of. */
export interface FollowerParts {
  readonly world: World;
  readonly process: SimProcess;
  readonly client: Client;
  /** Breaks its links. */
  readonly cut: () => void;
  readonly history: History;
  readonly durability: Durability;
  readonly address: Address;
  readonly name: string;
}

/** One time of following. */
interface Line {
  readonly connection: ActorConn<AnyActorDefinition>;
  readonly leaving: AbortController;
  /** It was lost and is back, and nothing has come over it since. */
  isBack: boolean;
}

/** One follower. */
export class Follower {
  readonly #parts: FollowerParts;
  readonly #random: Random;
  readonly #heard: Heard;
  #line: Line | undefined;
  #saying = 0;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#random = parts.process.random.fork();
    this.#heard = new Heard(parts.world, parts.name);
  }

  /** Follows, and has things said. */
  async work(): Promise<void> {
    const { world, process } = this.#parts;
    for (let round = 0; round < world.options.opsPerUser; round += 1) {
      this.#line ??= this.#follow(this.#heard);
      await process.sleep(this.#random.around(world.options.thinkMs));
      const doing = this.#random.float();
      if (this.#random.chance(world.options.cutFollower)) this.#parts.cut();
      if (doing < 0.2) await this.#leave();
      else {
        const said = this.#say(this.#random.pick([0, 0, 5, 50]));
        // Mostly it waits: what has been said is what somebody may lack who was cut off.
        if (doing < 0.8) await said;
      }
    }
  }

  /** After the faults: all that was said is heard, by this one and by one who comes late. */
  async farewell(): Promise<void> {
    const { world, name, durability } = this.#parts;
    await this.#until(() => this.#saying === 0);
    const last = await this.#sayAtLast();
    if (last === undefined)
      return world.fail("liveness", `nothing can be said in ${name}'s session any more`);
    await this.#hears(this.#heard, last);
    await this.#leave();
    const late = new Heard(world, `${name}, late,`);
    await this.#hears(late, last);
    await this.#leave();
    world.counters.add("a session was read from its beginning");
    for (const heard of [this.#heard, late]) heard.judge(durability);
  }

  /** Follows until it has heard this. */
  async #hears(heard: Heard, mark: string): Promise<void> {
    this.#line ??= this.#follow(heard);
    if (await this.#until(() => heard.has(mark))) return;
    this.#parts.world.fail(
      "sessions",
      `${this.#parts.name} has heard ${heard.last} events, and never ${mark}`,
    );
  }

  #follow(heard: Heard): Line {
    const { client, address, world, name } = this.#parts;
    world.trace.say(name, `follows ${address.key} behind`, heard.last);
    const connection = client.getOrCreate(address.name, [address.key]).connect();
    connection.onError(() => {});
    let opened = 0;
    const line: Line = { connection, leaving: new AbortController(), isBack: false };
    connection.onOpen(() => {
      opened += 1;
      line.isBack = opened > 1 && heard.last > 0;
    });
    void this.#listen(line, heard);
    return line;
  }

  async #listen(line: Line, heard: Heard): Promise<void> {
    const { connection, leaving } = line;
    const { world, name, process } = this.#parts;
    const options = { sessionId: SESSION, after: heard.last, signal: leaving.signal };
    try {
      for await (const entry of subscribe(connection, options)) {
        if (line.isBack) world.counters.add("a session was followed over a reconnection");
        line.isBack = false;
        this.#take(entry, heard);
      }
    } catch (error) {
      world.trace.say(name, "can't follow:", error instanceof Error ? error.message : String(error));
      await connection.dispose();
      await process.sleep(100);
      // It goes on where it was, as whoever is told of an error would.
      if (this.#line?.connection === connection) this.#line = this.#follow(heard);
    }
  }

  #take({ sequence, event }: Entry, heard: Heard): void {
    const { durability, name } = this.#parts;
    const [mark = ""] = marksIn(JSON.stringify(event));
    durability.mustBeSafe(mark, `${name}, by an event of a session,`);
    heard.add(sequence, mark);
  }

  /** Undefined when nobody knows whether it was said. */
  async #say(pauseMs: number): Promise<string | undefined> {
    const { client, address, history, durability, world, name } = this.#parts;
    const token = history.token();
    const updates = 1 + this.#random.below(4);
    const handle = client.getOrCreate(address.name, [address.key]);
    world.trace.say(name, `has ${updates} things said`, token);
    this.#saying += 1;
    try {
      await handle.action({ name: "say", args: [token, updates, pauseMs] });
      for (let update = 0; update < updates; update += 1)
        durability.mustBeSafe(markOf(token, update), `${name}, by a reply,`);
      return markOf(token, updates - 1);
    } catch {
      return undefined;
    } finally {
      this.#saying -= 1;
    }
  }

  async #sayAtLast(): Promise<string | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const said = await this.#say(0);
      if (said !== undefined) return said;
      await this.#parts.process.sleep(5_000);
    }
    return undefined;
  }

  async #leave(): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    line?.leaving.abort();
    await line?.connection.dispose();
  }

  /** True when it is so in time. */
  async #until(isSo: () => boolean): Promise<boolean> {
    const { world, process } = this.#parts;
    for (const until = world.now + LATE_MS; !isSo() && world.now < until; ) await process.sleep(100);
    return isSo();
  }
}
