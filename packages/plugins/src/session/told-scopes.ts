/**
 * The scopes of the host's relay that one session's plugin may name: those that it was told, and those that it made.
 *
 * A scope is known by its propagation value as the host writes it: as long as what it was told for goes on, and for a while behind
 * that, for work that is left there. They are kept in two generations. When the younger is full the older is forgotten, but for what is
 * open or has ended since the last time. So what is held is bounded, and nothing is looked for.
 *
 * Every call of an actor is noted here and few are ever named, so a note is cheap: the index is made when somebody asks.
 *
 * Whose a scope is: that of the instance whose call was told it, or everybody's, where the plugin as a whole was told it or made it.
 */
import { limits } from "@troupe/protocol";
import { propagationContextFromJson, propagationContextToJson } from "@troupe/relay";

/** The plugin as a whole. Instances are numbered from 1. */
export const EVERYBODY = 0;

/** A scope that was told. */
export interface Told {
  readonly scope: string;
  readonly whose: number;
  /** The generation in which that was over. */
  overIn: number;
}

class Generation {
  readonly told: Told[];
  readonly #index = new Map<string, number>();
  #indexed = 0;

  constructor(told: Told[]) {
    this.told = told;
  }

  /** Whose it is. Of two that were told it, everybody's. */
  whose(scope: string): number | undefined {
    for (const one of this.told.slice(this.#indexed)) {
      const known = this.#index.get(one.scope) ?? one.whose;
      this.#index.set(one.scope, known === one.whose ? known : EVERYBODY);
    }
    this.#indexed = this.told.length;
    return this.#index.get(scope);
  }
}

/** Those of one session. */
export class ToldScopes {
  #younger = new Generation([]);
  #older = new Generation([]);
  #number = 0;
  /** How many came into the younger from before. */
  #kept = 0;

  /** `scope` is a propagation value. `instances`: how many run, of which each has its share of what is known. */
  told(scope: string, whose: number, instances = 1): Told {
    const share = Math.min(limits.pluginEndedScopes, limits.pluginInstanceEndedScopes * instances);
    if (this.#younger.told.length - this.#kept >= share) this.#age();
    const told = { scope, whose, overIn: Infinity };
    this.#younger.told.push(told);
    return told;
  }

  /** What it was told for is over. */
  over(told: Told): void {
    told.overIn = this.#number;
  }

  /** Whether it may be named by that instance, or, by default, by any. Throws `relay.propagation_malformed`. */
  isKnown(scope: string, by: number = EVERYBODY): boolean {
    return this.#mayName(scope, by) || this.#mayName(asWritten(scope), by);
  }

  #mayName(scope: string, by: number): boolean {
    return [this.#younger, this.#older].some((generation) => {
      const whose = generation.whose(scope);
      return whose !== undefined && (by === EVERYBODY || whose === EVERYBODY || whose === by);
    });
  }

  #age(): void {
    const kept = this.#older.told.filter(({ overIn }) => overIn >= this.#number);
    this.#kept = kept.length;
    this.#older = this.#younger;
    this.#younger = new Generation(kept);
    this.#number += 1;
  }
}

/** Whoever names it may have spelled it anew. */
function asWritten(scope: string): string {
  return propagationContextToJson(propagationContextFromJson(scope));
}
