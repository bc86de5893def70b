/**
 * FaultPlan: when the server dies, and whether faults still happen at all.
 *
 * Crashes are planned by place: one of the points below, at its n-th visit from now. So the rare places are crashed at
 * as often as the frequent ones, which a rate per visit would not do. After each crash the next one is planned.
 */
import type { CounterName } from "./counters.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Where a crash can be, and how many visits a plan looks ahead at the most. */
const points = {
  "after a turn": 400,
  "before a write": 30,
  "between write and sync": 30,
  "during a sync": 30,
  "between sync and its callback": 30,
  "in the middle of the outputs": 60,
  "during a start hook": 8,
} as const;

/** A place that a crash can be planned at. */
export type CrashPoint = keyof typeof points;

const pointNames = Object.keys(points) as CrashPoint[];

/** The crashes of one run. */
export class FaultPlan {
  readonly #world: World;
  readonly #random: Random;
  #crashesLeft: number;
  #next: { readonly point: CrashPoint; visits: number } | undefined;
  #server: SimProcess | undefined;
  #calm = false;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    this.#crashesLeft = world.options.crashes;
    this.#plan();
  }

  /** From now on nothing fails any more. */
  calm(): void {
    this.#calm = true;
    this.#next = undefined;
  }

  get isCalm(): boolean {
    return this.#calm;
  }

  /** True in `probability` of the cases, while faults happen. */
  strikes(probability: number): boolean {
    return !this.#calm && this.#random.chance(probability);
  }

  /** The process that crashes are for. */
  watch(server: SimProcess): void {
    this.#server = server;
  }

  /** The server is at `point`: it may be its last. */
  visit(point: CrashPoint): void {
    const next = this.#next;
    if (next === undefined || next.point !== point || this.#server?.alive !== true) return;
    next.visits -= 1;
    if (next.visits > 0) return;
    this.#world.trace.say("world", "crash", point);
    this.#world.counters.add(`crash ${point}` satisfies CounterName);
    this.#crashesLeft -= 1;
    this.#plan();
    this.#server.kill();
  }

  /** A macrotask of anybody's has ended. */
  afterStep(): void {
    this.visit("after a turn");
  }

  #plan(): void {
    this.#next = undefined;
    if (this.#calm || this.#crashesLeft <= 0) return;
    const point = this.#random.pick(pointNames);
    this.#next = { point, visits: 1 + this.#random.below(points[point]) };
  }
}
