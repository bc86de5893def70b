/**
 * The traps of `c.state`, and of everything below it. All of them work on the object behind the proxy, which they are given: what
 * is lent ({@link LentHandler}) has proxies that go on with another one.
 */
import { cloneValue, RAW } from "@troupe/protocol";
import { stateErrors } from "../../errors.ts";
import { type ArrayScope, movingMethod } from "./state-array.ts";

/** An object or array in the state. */
export type Container = Record<PropertyKey, unknown>;

/** The tree, as the traps see it. */
export interface TreeOfTraps {
  /** A property of the root is about to change. Throws when it may not. */
  mark(property: string): void;
  /** A property of the root is about to come, or to go. Throws when there are too many. */
  resize(by: 1 | -1): void;
  /** A built-in of this property was handed out. */
  suspect(property: string): void;
  handler(property: string): PropertyHandler;
  /** True while something in this property is lent. */
  lends(property: string): boolean;
  /** What is put at a place, for a value from outside: a copy, or the value itself for a while. */
  admit(property: string, place: Place, value: Assigned): unknown;
}

/** Where a value is put. */
export interface Place {
  readonly container: Container;
  readonly key: PropertyKey;
}

/** A value from outside, and its validated copy. */
export interface Assigned {
  readonly value: unknown;
  readonly copy: unknown;
  /** Where an error says that it stands. */
  readonly path: string;
}

/** What the traps of `c.state` and of everything below it have in common. */
export abstract class StateHandler implements ProxyHandler<Container> {
  abstract get(target: Container, key: PropertyKey): unknown;
  /** Where an error says that a value stands. */
  protected abstract path(key: string): string;
  /** `key` is about to be added (1), exchanged (0) or removed (-1). Throws when it may not. */
  protected abstract mark(key: string, by: 1 | 0 | -1): void;
  /** What is put there. */
  protected abstract admit(place: Place, assigned: Assigned): unknown;

  set(target: Container, key: PropertyKey, value: unknown): boolean {
    if (typeof key === "symbol") throw stateErrors.symbolKey();
    const property = String(key);
    checkKey(property);
    const known = Object.hasOwn(target, property);
    if (known && isPrimitive(value) && Object.is(target[property], value)) return true;
    const path = this.path(property);
    const copy = copied(value, path);
    this.mark(property, known ? 0 : 1);
    target[property] = isPrimitive(copy)
      ? copy
      : this.admit({ container: target, key: property }, { value, copy, path });
    return true;
  }

  deleteProperty(target: Container, key: PropertyKey): boolean {
    if (typeof key === "symbol" || !Object.hasOwn(target, key)) return true;
    this.mark(String(key), -1);
    delete target[key];
    return true;
  }

  getOwnPropertyDescriptor(target: Container, key: PropertyKey): PropertyDescriptor | undefined {
    return shownDescriptor(target, key, this.get(target, key));
  }

  defineProperty(target: Container, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    return this.set(target, key, plainValue(descriptor));
  }

  setPrototypeOf(): boolean {
    return false;
  }

  preventExtensions(): boolean {
    return false;
  }
}

/** Traps of `c.state` itself: its properties are the units of storage. */
export class RootHandler extends StateHandler {
  readonly #tree: TreeOfTraps;

  constructor(tree: TreeOfTraps) {
    super();
    this.#tree = tree;
  }

  get(target: Container, key: PropertyKey): unknown {
    const value = target[key];
    if (typeof value !== "object" || value === null) return key === RAW ? target : value;
    if (typeof key === "symbol" || !Object.hasOwn(target, key)) return value;
    return this.#tree.handler(String(key)).wrap(value);
  }

  protected path(key: string): string {
    return `state.${key}`;
  }

  protected mark(key: string, by: 1 | 0 | -1): void {
    if (by === 1) checkName(key);
    this.#tree.mark(key);
    if (by !== 0) this.#tree.resize(by);
  }

  protected admit(place: Place, assigned: Assigned): unknown {
    return this.#tree.admit(String(place.key), place, assigned);
  }
}

/** Traps of everything below one top-level property. */
export class PropertyHandler extends StateHandler {
  readonly #tree: TreeOfTraps;
  readonly #property: string;
  readonly #proxies = new WeakMap<object, object>();
  /** Of proxies that were made while something was lent. */
  #lent: WeakMap<object, LentHandler> | undefined;

  constructor(tree: TreeOfTraps, property: string) {
    super();
    this.#tree = tree;
    this.#property = property;
  }

  wrap(value: object): unknown {
    if (!isContainer(value)) {
      this.#tree.suspect(this.#property);
      return value;
    }
    let proxy = this.#proxies.get(value);
    if (proxy === undefined) {
      proxy = this.#tree.lends(this.#property) ? this.#lentProxy(value) : new Proxy(value, this);
      this.#proxies.set(value, proxy);
    }
    return proxy;
  }

  /** The proxy of `from`, if it was handed out, is the one of `to` from now on. */
  turn(from: Container, to: Container): void {
    const [handler, proxy] = [this.#lent?.get(from), this.#proxies.get(from)];
    if (handler === undefined || proxy === undefined) return;
    handler.current = to;
    this.#lent?.delete(from);
    this.#lent?.set(to, handler);
    this.#proxies.delete(from);
    this.#proxies.set(to, proxy);
  }

  get(target: Container, key: PropertyKey): unknown {
    const value = target[key];
    if (typeof value === "function" && Array.isArray(target))
      return movingMethod(target, key, this.#scopeOf(target)) ?? value;
    if (typeof value !== "object" || value === null) return key === RAW ? target : value;
    if (typeof key === "symbol" || !Object.hasOwn(target, key)) return value;
    return this.wrap(value);
  }

  protected path(key: string): string {
    return `state.${this.#property}…${key}`;
  }

  protected mark(): void {
    this.#tree.mark(this.#property);
  }

  protected admit(place: Place, assigned: Assigned): unknown {
    return this.#tree.admit(this.#property, place, assigned);
  }

  #lentProxy(value: Container): object {
    const handler = new LentHandler(this, value);
    this.#lent ??= new WeakMap();
    this.#lent.set(value, handler);
    return new Proxy<Container>(Array.isArray(value) ? Object([]) : {}, handler);
  }

  #scopeOf(target: Container): ArrayScope {
    const path = this.path("[]");
    return {
      show: (element) => (typeof element === "object" && element !== null ? this.wrap(element) : element),
      admit: (value) => {
        const copy = copied(value, path);
        return isPrimitive(copy) ? copy : this.admit({ container: target, key: "" }, { value, copy, path });
      },
      mark: () => this.mark(),
    };
  }
}

/** Traps of what stands in the state while something is lent: they go on with the copy that takes its place. */
export class LentHandler implements ProxyHandler<Container> {
  readonly #property: PropertyHandler;
  current: Container;

  constructor(property: PropertyHandler, current: Container) {
    this.#property = property;
    this.current = current;
  }

  get(_target: Container, key: PropertyKey): unknown {
    return this.#property.get(this.current, key);
  }

  set(_target: Container, key: PropertyKey, value: unknown): boolean {
    return this.#property.set(this.current, key, value);
  }

  has(_target: Container, key: PropertyKey): boolean {
    return Reflect.has(this.current, key);
  }

  deleteProperty(_target: Container, key: PropertyKey): boolean {
    return this.#property.deleteProperty(this.current, key);
  }

  ownKeys(): (string | symbol)[] {
    return Reflect.ownKeys(this.current);
  }

  getOwnPropertyDescriptor(_target: Container, key: PropertyKey): PropertyDescriptor | undefined {
    return shownDescriptor(this.current, key, this.#property.get(this.current, key));
  }

  defineProperty(_target: Container, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    return this.#property.defineProperty(this.current, key, descriptor);
  }

  setPrototypeOf(): boolean {
    return false;
  }

  preventExtensions(): boolean {
    return false;
  }
}

/** True for a plain object or array: what has proxies. */
export function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || isPlainObject(value);
}

/** True for a plain object. */
export function isPlainObject(value: unknown): value is Container {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function");
}

/** A validated copy. The error of one that can't be is made here, so that its stack shows who assigned it. */
export function copied<V>(value: V, path: string): V {
  try {
    return cloneValue(value, path);
  } catch (error) {
    if (error instanceof Error) Error.captureStackTrace?.(error, copied);
    throw error;
  }
}

function checkKey(key: PropertyKey): void {
  if (key === "__proto__") throw stateErrors.forbiddenKey(key);
}

/** A top-level property's name is a row's key, in UTF-8: two names that it can't tell apart would be one row. */
export function checkName(property: string): void {
  if (!property.isWellFormed()) throw stateErrors.malformedName(property);
}

/** A property as its trap shows it: nobody gets at the plain object behind a proxy. */
function shownDescriptor(
  target: Container,
  key: PropertyKey,
  shown: unknown,
): PropertyDescriptor | undefined {
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  return descriptor && { ...descriptor, value: shown };
}

function plainValue(descriptor: PropertyDescriptor): unknown {
  if (descriptor.get !== undefined || descriptor.set !== undefined) throw stateErrors.accessor();
  return descriptor.value;
}
