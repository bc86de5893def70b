/**
 * Places: where code runs, as one value of the async context: its scope, and beside it what hosts keep there, and whose work on events it is.
 *
 * Setting a variable of the async context is what an action costs most, and two variables cost more than twice as much.
 * A host of actors has one for each call anyway, whose code it is: it keeps that here, so that a call under a relay that
 * nobody listens to costs no more than one under none. For the same reason the scope of such a call is made when somebody
 * asks for it, which is mostly never.
 *
 * Each host finds what it has kept, also where another's actor was called in between.
 */
import type { AsyncVariable } from "@troupe/base";
import type { Worker } from "../events/later.ts";
import { Scope } from "./scope.ts";

/** A scope that is made when somebody asks for it, and then stays. */
export interface LazyScope {
  readonly scope: Scope;
}

/** What one host keeps, and those around it. */
interface Kept {
  readonly by: object;
  readonly value: unknown;
  readonly outer: Kept | undefined;
}

interface Place {
  readonly scope: Scope | LazyScope;
  readonly kept: Kept | undefined;
}

/** The name under which a place keeps whose work is done there. */
const WORK = {};

/** The places of one relay. */
export class Places {
  readonly #variable: AsyncVariable<Place>;

  constructor(variable: AsyncVariable<Place>) {
    this.#variable = variable;
  }

  /** Undefined where nothing is going on. */
  get scope(): Scope | LazyScope | undefined {
    return this.#variable.get()?.scope;
  }

  /** Runs `fn` with `scope` as the current one. */
  inScope<R>(scope: Scope, fn: () => R): R {
    return this.#variable.run({ scope, kept: this.#variable.get()?.kept }, fn);
  }

  /** Runs `fn` as the work of `worker`, with `scope` as the current one and with nothing of what is going on. */
  outside<R>(scope: Scope, worker: Worker, fn: () => R): R {
    return this.#variable.run({ scope, kept: { by: WORK, value: worker, outer: undefined } }, fn);
  }

  /** Whose work is done here, or has left this behind; undefined where it is nobody's. */
  get worker(): Worker | undefined {
    return this.#kept<Worker>(WORK);
  }

  /** A host's variable. `scopeOf`: the scope that comes with a value; undefined for the current one. */
  kept<T>(root: Scope, scopeOf: (value: T) => LazyScope | undefined): AsyncVariable<T> {
    const by = {};
    return {
      run: <R>(value: T, fn: () => R): R => {
        const here = this.#variable.get();
        const scope = scopeOf(value) ?? here?.scope ?? root;
        return this.#variable.run({ scope, kept: { by, value, outer: without(by, here?.kept) } }, fn);
      },
      get: () => this.#kept<T>(by),
    };
  }

  #kept<T>(by: object): T | undefined {
    for (let kept = this.#variable.get()?.kept; kept !== undefined; kept = kept.outer)
      if (kept.by === by) return kept.value as T;
    return undefined;
  }
}

/** The scope itself, made now if it wasn't yet. */
export function madeScope(scope: Scope | LazyScope): Scope {
  return scope instanceof Scope ? scope : scope.scope;
}

/** At most one of each host: what runs inside of itself makes it no longer. */
function without(by: object, kept: Kept | undefined): Kept | undefined {
  if (kept === undefined) return undefined;
  const outer = without(by, kept.outer);
  if (kept.by === by) return outer;
  return outer === kept.outer ? kept : { ...kept, outer };
}
