/**
 * HostedFactories: the factories of a runtime whose hosts may bring actors that it has no definition of.
 *
 * A name of `use` is what it is there. Any other one is what the catalogue knows of it; one that no host has brought yet may
 * come with the next host, so whoever asks is told that it may be asked for again.
 */

import type { Factories } from "../host/factories.ts";
import type { InstanceFactory } from "../ports/instance.ts";
import type { StoreNeeds } from "../ports/storage.ts";
import type { Catalogue, KnownActor } from "./catalogue.ts";
import { engineErrors } from "./errors.ts";

/** What they are made from. */
export interface HostedFactoriesParts {
  readonly registered: ReadonlyMap<string, InstanceFactory>;
  readonly catalogue: Catalogue;
  /** The factory of an actor that hosts bring. */
  readonly make: (known: KnownActor) => InstanceFactory;
}

/** Factories of what is registered, and of what hosts bring. */
export class HostedFactories implements Factories {
  readonly #parts: HostedFactoriesParts;
  /** Made so far, by what was known then: what is known of an actor is replaced when it changes. */
  readonly #made = new WeakMap<KnownActor, InstanceFactory>();

  constructor(parts: HostedFactoriesParts) {
    this.#parts = parts;
  }

  /** Throws `host.not_brought`. */
  get(name: string, namespace: string): InstanceFactory {
    const { registered, catalogue, make } = this.#parts;
    const found = registered.get(name);
    if (found !== undefined) return found;
    const known = catalogue.actor(namespace, name);
    if (known === undefined) throw engineErrors.notBrought(name);
    let factory = this.#made.get(known);
    if (factory === undefined) {
      factory = make(known);
      this.#made.set(known, factory);
    }
    return factory;
  }
}

/** What an actor needs of its store; nothing when nobody knows it. Throws nothing. */
export function needsOf(factories: Factories, name: string, namespace: string): StoreNeeds | undefined {
  try {
    return factories.get(name, namespace)?.needs;
  } catch {
    return undefined;
  }
}
