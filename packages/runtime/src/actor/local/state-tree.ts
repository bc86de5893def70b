/**
 * StateTree: an actor's state, saved by top-level property.
 *
 * User code gets a write-through proxy. A write anywhere below a top-level property marks that property, and only
 * marked ones are encoded when the batch is taken. What is assigned is copied, plain and validated, at the moment of
 * the assignment: the error is on the user's own stack and names the path, and nothing outside can change the state
 * without passing through here.
 *
 * Built-ins that keep their data in internal slots (Map, Set, Date, typed arrays) can't be watched. They are handed out
 * as they are; a property in which one was read is a *suspect* from then on: it is encoded at every batch and stored
 * when its bytes differ from the stored ones. While there are suspects every output has to assume a write, so the
 * owner asks `suspicious` before it lets one go.
 */
import { cloneValue, decodeCbor, encodeCbor, limits, RAW } from "@troupe/protocol";
import type { Logger } from "@troupe/base";
import { stateErrors, storageErrors } from "../../errors.ts";
import type { Row, RowChange } from "../../ports/storage.ts";

/** Rows of the state have keys with this prefix. */
export const STATE_PREFIX = "s:";

type Container = Record<PropertyKey, unknown>;

/** What the tree needs from its owner. */
export interface StateOwner {
  /** A property changed, or may have. */
  wrote(): void;
  readonly log: Logger;
}

/** The durable state of one activation. */
export class StateTree {
  readonly #owner: StateOwner;
  #root: Container;
  #proxy: object | undefined;
  readonly #dirty = new Set<string>();
  /** Suspects with the bytes that are stored of them. */
  #suspects: Map<string, Uint8Array | undefined> | undefined;
  #handlers: Map<string, PropertyHandler> | undefined;
  /** Told of every write that a trap sees. */
  onChange: (() => void) | undefined;

  private constructor(owner: StateOwner, root: Container) {
    this.#owner = owner;
    this.#root = root;
  }

  /** The first state of a new actor: everything is still to be stored. */
  static create(owner: StateOwner, value: unknown): StateTree {
    const tree = new StateTree(owner, {});
    tree.replace(value);
    return tree;
  }

  /** What storage holds. */
  static load(owner: StateOwner, rows: readonly Row[]): StateTree {
    const root: Container = {};
    for (const row of rows) {
      if (row.key.startsWith(STATE_PREFIX)) root[row.key.slice(STATE_PREFIX.length)] = decodeCbor(row.value);
    }
    return new StateTree(owner, root);
  }

  /** What `c.state` is. */
  get proxy(): object {
    this.#proxy ??= new Proxy(this.#root, new RootHandler(this));
    return this.#proxy;
  }

  /** True when a write may have happened that no trap saw. */
  get suspicious(): boolean {
    return this.#suspects !== undefined;
  }

  /** A plain copy. */
  snapshot(): unknown {
    return cloneValue(this.#root, "state");
  }

  /** `c.state = value`. */
  replace(value: unknown): void {
    const copy = cloneValue(value, "state");
    if (!isPlainObject(copy)) throw stateErrors.notAnObject();
    const before = Object.keys(this.#root);
    this.#root = copy;
    this.#proxy = undefined;
    for (const key of before) this.mark(key);
    for (const key of Object.keys(copy)) this.mark(key);
  }

  /** A top-level property changed. Throws when the activation has ended. */
  mark(property: string): void {
    this.onChange?.();
    if (this.#dirty.has(property)) return;
    this.#owner.wrote();
    this.#dirty.add(property);
  }

  /** A built-in of this property was handed out. */
  suspect(property: string): void {
    this.#suspects ??= new Map();
    if (this.#suspects.has(property)) return;
    const stored = this.#dirty.has(property) ? undefined : encodeCbor(this.#root[property]);
    this.#suspects.set(property, stored);
  }

  /** Takes what must be stored. Throws when a property can't be: then the whole batch fails. */
  take(into: RowChange[]): void {
    for (const property of this.#dirty) into.push(this.#change(property));
    if (this.#suspects !== undefined) this.#takeSuspects(this.#suspects, into);
    this.#dirty.clear();
  }

  handler(property: string): PropertyHandler {
    this.#handlers ??= new Map();
    let handler = this.#handlers.get(property);
    if (handler === undefined) {
      handler = new PropertyHandler(this, property);
      this.#handlers.set(property, handler);
    }
    return handler;
  }

  #takeSuspects(suspects: Map<string, Uint8Array | undefined>, into: RowChange[]): void {
    for (const [property, stored] of suspects) {
      if (this.#dirty.has(property) || !Object.hasOwn(this.#root, property)) continue;
      const change = this.#change(property);
      if (change.value !== null && stored !== undefined && sameBytes(stored, change.value)) continue;
      into.push(change);
    }
  }

  #change(property: string): RowChange {
    const key = STATE_PREFIX + property;
    if (!Object.hasOwn(this.#root, property)) {
      this.#suspects?.delete(property);
      return { key, value: null };
    }
    const value = encodeCbor(this.#root[property], `state.${property}`);
    this.#checkSize(property, value.byteLength);
    if (this.#suspects?.has(property)) this.#suspects.set(property, value);
    return { key, value };
  }

  #checkSize(property: string, bytes: number): void {
    if (bytes > limits.statePropertyBytes) {
      throw storageErrors.propertyTooLarge(property, bytes, limits.statePropertyBytes);
    }
    if (bytes > limits.statePropertyWarnBytes) {
      this.#owner.log.warn("a state property is large: it is rewritten whole on every change; consider rows of its own", {
        property,
        bytes,
      });
    }
  }
}

/** Traps of `c.state` itself: its properties are the units of storage. */
class RootHandler implements ProxyHandler<Container> {
  readonly #tree: StateTree;

  constructor(tree: StateTree) {
    this.#tree = tree;
  }

  get(target: Container, key: PropertyKey): unknown {
    const value = target[key];
    if (typeof value !== "object" || value === null) return key === RAW ? target : value;
    if (typeof key === "symbol" || !Object.hasOwn(target, key)) return value;
    return this.#tree.handler(String(key)).wrap(value);
  }

  set(target: Container, key: PropertyKey, value: unknown): boolean {
    if (typeof key === "symbol") throw stateErrors.symbolKey();
    const property = String(key);
    if (isPrimitive(value)) {
      if (Object.is(target[property], value) && Object.hasOwn(target, property)) return true;
      define(target, property, cloneIfNeeded(value, `state.${property}`));
    } else {
      define(target, property, cloneValue(value, `state.${property}`));
    }
    this.#tree.mark(property);
    return true;
  }

  deleteProperty(target: Container, key: PropertyKey): boolean {
    if (typeof key === "symbol" || !Object.hasOwn(target, key)) return true;
    delete target[key];
    this.#tree.mark(String(key));
    return true;
  }

  defineProperty(target: Container, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    return this.set(target, key, valueOf(descriptor));
  }

  setPrototypeOf(): boolean {
    return false;
  }

  preventExtensions(): boolean {
    return false;
  }
}

/** Traps of everything below one top-level property. */
class PropertyHandler implements ProxyHandler<Container> {
  readonly #tree: StateTree;
  readonly #property: string;
  readonly #proxies = new WeakMap<object, object>();

  constructor(tree: StateTree, property: string) {
    this.#tree = tree;
    this.#property = property;
  }

  wrap(value: object): unknown {
    if (!Array.isArray(value) && !isPlainObject(value)) {
      this.#tree.suspect(this.#property);
      return value;
    }
    let proxy = this.#proxies.get(value);
    if (proxy === undefined) {
      proxy = new Proxy<Container>(container(value), this);
      this.#proxies.set(value, proxy);
    }
    return proxy;
  }

  get(target: Container, key: PropertyKey): unknown {
    const value = target[key];
    if (typeof value !== "object" || value === null) return key === RAW ? target : value;
    if (typeof key === "symbol" || !Object.hasOwn(target, key)) return value;
    return this.wrap(value);
  }

  set(target: Container, key: PropertyKey, value: unknown): boolean {
    if (typeof key === "symbol") throw stateErrors.symbolKey();
    if (Array.isArray(target) && key === "length") {
      Reflect.set(target, key, value);
    } else if (isPrimitive(value)) {
      if (Object.is(target[key], value) && Object.hasOwn(target, key)) return true;
      define(target, key, cloneIfNeeded(value, this.#path(key)));
    } else {
      define(target, key, cloneValue(value, this.#path(key)));
    }
    this.#tree.mark(this.#property);
    return true;
  }

  deleteProperty(target: Container, key: PropertyKey): boolean {
    if (typeof key === "symbol" || !Object.hasOwn(target, key)) return true;
    delete target[key];
    this.#tree.mark(this.#property);
    return true;
  }

  defineProperty(target: Container, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    return this.set(target, key, valueOf(descriptor));
  }

  setPrototypeOf(): boolean {
    return false;
  }

  preventExtensions(): boolean {
    return false;
  }

  #path(key: PropertyKey): string {
    return `state.${this.#property}…${String(key)}`;
  }
}

function container(value: object): Container {
  return value as Container;
}

function isPlainObject(value: unknown): value is Container {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function");
}

/** Primitives need no copy, but symbols are no values. */
function cloneIfNeeded(value: unknown, path: string): unknown {
  return typeof value === "symbol" ? cloneValue(value, path) : value;
}

/** Sets an own property, also one named `__proto__`'s neighbours: never through a setter of the prototype. */
function define(target: Container, key: PropertyKey, value: unknown): void {
  if (key === "__proto__") throw stateErrors.forbiddenKey(String(key));
  target[key] = value;
}

function valueOf(descriptor: PropertyDescriptor): unknown {
  if (descriptor.get !== undefined || descriptor.set !== undefined) throw stateErrors.accessor();
  return descriptor.value;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  for (let index = 0; index < a.byteLength; index++) {
    if (a[index] !== b[index]) return false;
  }
  return true;
}
