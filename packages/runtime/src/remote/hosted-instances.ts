/**
 * HostedInstances: what runs on one host, and what is on its way there. Each has a number that is never used again.
 */
import type { ActorEar } from "../ports/carried.ts";

/** A running instance, as its host's session knows it. */
export interface HostedInstance {
  readonly ear: ActorEar;
  /** It is to go on elsewhere. */
  readonly leave: () => void;
}

/** The instances of one session. */
export class HostedInstances {
  readonly #running = new Map<number, HostedInstance>();
  #last = 0;
  /** Actors that are to be started here and have no line yet. */
  #promised = 0;

  /** By number, those that came last at the end. */
  get running(): ReadonlyMap<number, HostedInstance> {
    return this.#running;
  }

  /** Those that run or are on their way: many actors that wake at once see each other so. */
  get weight(): number {
    return this.#running.size + this.#promised;
  }

  /** An actor is to be started here. */
  promise(): void {
    this.#promised += 1;
  }

  /** Those that were promised may never come. */
  forgetPromised(): void {
    this.#promised = 0;
  }

  /** The number of one that begins now. */
  add(instance: HostedInstance): number {
    this.#promised = Math.max(0, this.#promised - 1);
    this.#last += 1;
    this.#running.set(this.#last, instance);
    return this.#last;
  }

  ear(number: number): ActorEar | undefined {
    return this.#running.get(number)?.ear;
  }

  delete(number: number): void {
    this.#running.delete(number);
  }

  /** The session is over: those that ran. */
  takeAll(): readonly (readonly [number: number, instance: HostedInstance])[] {
    const all = [...this.#running];
    this.#running.clear();
    return all;
  }
}
