/**
 * The proxies behind `client.counter` and `handle.orders.cancel(1)`.
 *
 * A name is, in this order: a member of the object behind the proxy, something that languages and tools ask any object
 * for, or a name of the user's. The same name gives the same function each time: callers may keep it, compare it and
 * put it in the dependencies of a hook.
 */

import { FUNCTION_MEMBERS, NEVER_MEMBERS } from "./reserved-names.ts";

/** Calls an action by its dotted name. */
export type Invoke = (name: string, args: unknown[]) => Promise<unknown>;

/** Sees what a member answers, and gives it on. */
export type Handed = <A>(answer: A, what: string) => A;

/** Shows the named members of `core` and, under every other name, what `open` gives for it. */
export class MemberProxy<C extends object> implements ProxyHandler<C> {
  readonly #members: ReadonlySet<PropertyKey>;
  readonly #open: (name: string) => unknown;
  readonly #handed: Handed;
  readonly #known = new Map<PropertyKey, unknown>();

  constructor(members: readonly (keyof C)[], open: (name: string) => unknown, handed: Handed) {
    this.#members = new Set(members);
    this.#open = open;
    this.#handed = handed;
  }

  get(core: C, name: string | symbol): unknown {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (typeof name === "symbol" || this.#members.has(name)) return this.#member(core, name);
    if (NEVER_MEMBERS.has(name)) return undefined;
    if (name in Object.prototype) return Reflect.get(core, name, core);
    return this.#keep(name, this.#open(name));
  }

  set(): boolean {
    return false;
  }

  #member(core: C, name: string | symbol): unknown {
    const value: unknown = Reflect.get(core, name, core);
    // Values of getters change and aren't kept.
    if (typeof value !== "function") return value;
    // With its own object as `this`, because private fields are out of a proxy's reach. Not by `bind`: V8 takes no bound
    // function for the end of an `await using`.
    return this.#keep(name, (...args: unknown[]) =>
      this.#handed(Reflect.apply(value, core, args), String(name)),
    );
  }

  #keep(name: PropertyKey, value: unknown): unknown {
    this.#known.set(name, value);
    return value;
  }
}

/** An action, and the group of actions under its name: `f(1)` and `f.cancel(1)`. */
export function actionProxy(name: string, invoke: Invoke): unknown {
  const nested = new Map<string, unknown>();
  // An arrow function has no `prototype` of its own, which a proxy would have to show.
  return new Proxy((...args: unknown[]) => invoke(name, args), {
    get(action, part) {
      if (typeof part === "symbol" || FUNCTION_MEMBERS.has(part)) return Reflect.get(action, part);
      if (NEVER_MEMBERS.has(part)) return undefined;
      if (part in Object.prototype) return Reflect.get(action, part);
      const known = nested.get(part);
      if (known !== undefined) return known;
      const opened = actionProxy(`${name}.${part}`, invoke);
      nested.set(part, opened);
      return opened;
    },
    set: () => false,
  });
}
