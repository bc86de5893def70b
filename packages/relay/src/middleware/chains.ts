/** Chains: all middleware that is visible from one scope, as it was at one moment. */

import type { MiddlewareKind } from "./kinds.ts";
import { byPriority, type Entry, type Lists } from "./level.ts";

/** A snapshot. Taking it costs nothing: levels never alter a list. */
export class Chains {
  readonly #global: Lists;
  /** Of scopes from the outermost to the innermost; empty when no scope has registrations. */
  readonly #local: readonly Lists[];

  constructor(global: Lists, local: readonly Lists[]) {
    this.#global = global;
    this.#local = local;
  }

  /** The chain of one kind, in the order in which it runs. */
  of<K extends MiddlewareKind>(kind: K): readonly Entry<K>[] {
    const global: readonly Entry<K>[] = this.#global[kind];
    if (this.#local.length === 0) return global;
    const local = this.#local.flatMap((lists): readonly Entry<K>[] => lists[kind]);
    return local.length === 0 ? global : byPriority([...global, ...local]);
  }
}
