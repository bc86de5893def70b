/** Chains: all middleware that is visible from one scope, as it was at one moment. */

import type { MiddlewareKind } from "./kinds.ts";
import { byPriority, type Entry, type Lists } from "./level.ts";

/** Takes out of a chain what isn't to run this time. */
export type Passed = <K extends MiddlewareKind>(kind: K, entries: readonly Entry<K>[]) => readonly Entry<K>[];

/** A snapshot. Taking it costs nothing: levels never alter a list. */
export class Chains {
  readonly #global: Lists;
  /** Of scopes from the outermost to the innermost; empty when no scope has registrations. */
  readonly #local: readonly Lists[];
  readonly #passed: Passed | undefined;
  /** What gates have let through: they are asked once. */
  #known: Partial<Lists> = {};

  constructor(global: Lists, local: readonly Lists[], passed?: Passed) {
    this.#global = global;
    this.#local = local;
    this.#passed = passed;
  }

  /** The chain of one kind, in the order in which it runs. */
  of<K extends MiddlewareKind>(kind: K): readonly Entry<K>[] {
    if (this.#passed === undefined) return this.#all(kind);
    const known: readonly Entry<K>[] | undefined = this.#known[kind];
    if (known !== undefined) return known;
    const passed = this.#passed(kind, this.#all(kind));
    this.#known = { ...this.#known, [kind]: passed };
    return passed;
  }

  #all<K extends MiddlewareKind>(kind: K): readonly Entry<K>[] {
    const global: readonly Entry<K>[] = this.#global[kind];
    if (this.#local.length === 0) return global;
    const local = this.#local.flatMap((lists): readonly Entry<K>[] => lists[kind]);
    return local.length === 0 ? global : byPriority([...global, ...local]);
  }
}
