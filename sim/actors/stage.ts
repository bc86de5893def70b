/**
 * Stage: what the actors of a world report to, and ask of, the world that they run in.
 *
 * The actors' code is part of the simulation: it says what it does to the checkers at the moment when it does it. Code
 * of a process that has died runs on to the end of its turn in limbo; what it says then is not heard.
 */

import type { Target } from "../../packages/runtime/src/host/actor-host.ts";
import type { Durability } from "../checkers/durability.ts";
import type { Sayings } from "../checkers/said.ts";
import type { SimProcess } from "../world/process.ts";
import type { SimServer } from "../world/server.ts";
import type { World } from "../world/world.ts";

/** The world, as actors see it. */
export class Stage {
  readonly world: World;
  readonly #durability: Durability;
  readonly #sayings: Sayings;
  readonly #server: () => SimServer;
  /** When each schedule may run, on the wall clock. */
  readonly #due = new Map<string, number>();
  /** Actors whose sleep has begun, with the process that they were awake in. */
  readonly #stopping = new Map<string, SimProcess>();

  constructor(
    world: World,
    checkers: { readonly durability: Durability; readonly sayings: Sayings },
    server: () => SimServer,
  ) {
    this.world = world;
    this.#durability = checkers.durability;
    this.#sayings = checkers.sayings;
    this.#server = server;
  }

  /** The process that runs now; `undefined` when the caller is in limbo. */
  get process(): SimProcess | undefined {
    const process = this.#server().process;
    return process?.alive === true ? process : undefined;
  }

  /** Settles after `delayMs`, if the process lives so long. */
  sleep(delayMs: number): Promise<void> {
    return this.process?.sleep(delayMs) ?? new Promise<void>(() => {});
  }

  /** A start hook runs: the server may die here. */
  startHook(): void {
    this.world.faults.visit("during a start hook");
  }

  /** The running code has learned of `mark`. */
  mustBeSafe(mark: string, who: string): void {
    if (this.process !== undefined) this.#durability.mustBeSafe(mark, who);
  }

  scheduled(token: string, runAt: number): void {
    if (this.process !== undefined) this.#due.set(token, runAt);
  }

  /** A schedule runs. */
  fired(token: string): void {
    if (this.process === undefined) return;
    const due = this.#due.get(token);
    const now = this.world.wallNow();
    if (due === undefined) this.world.fail("schedules", `${token} runs, but was never scheduled`);
    else if (now < due) this.world.fail("schedules", `${token} runs ${due - now} ms before its time`);
    this.world.counters.add("a schedule fired");
  }

  /** A run of a job begins. */
  beat(token: string, scheduledAt: number): void {
    if (this.process === undefined) return;
    const now = this.world.wallNow();
    if (now < scheduledAt) {
      this.world.fail("schedules", `a run of ${token} begins ${scheduledAt - now} ms before its time`);
    }
    this.world.counters.add("a job ran");
    if (now > scheduledAt + 5_000) this.world.counters.add("a job ran late");
  }

  /** Somebody is connected who was so in an earlier life. */
  outlived(what: "a connection outlived a sleep" | "a raw socket outlived a sleep"): void {
    const { counters, options } = this.world;
    counters.add(what);
    if (options.carried) counters.add(`${what} behind actor/v1`);
  }

  /** A message of a raw socket is heard. */
  heard(token: string): void {
    if (this.process !== undefined) this.#sayings.heard(this.world, token);
  }

  sleeps(name: string, key: readonly string[]): void {
    if (this.process !== undefined) this.#stopping.set(`${name}/${key.join("/")}`, this.process);
  }

  wakes(name: string, key: readonly string[]): void {
    this.#stopping.delete(`${name}/${key.join("/")}`);
  }

  /** Somebody asks for an actor, which may be on its way to sleep. */
  asked(target: Target): void {
    if (target.kind !== "address") return;
    const { name, key } = target.address;
    const process = this.#stopping.get(`${name}/${key.join("/")}`);
    if (process !== undefined && process === this.process) {
      this.world.counters.add("a call held for the next activation");
    }
  }
}
