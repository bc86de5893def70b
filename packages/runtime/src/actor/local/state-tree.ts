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

import type { Logger } from "@troupe/base";
import { cloneValue, decodeCbor, encodeCbor, encodeCborUpTo, limits, RAW } from "@troupe/protocol";
import { stateErrors, storageErrors } from "../../errors.ts";
import type { Row, RowChange } from "../../ports/storage.ts";
import { checkPropertyCount } from "../state-size.ts";
import { type ArrayScope, movingMethod } from "./state-array.ts";
import { STATE_PREFIX, StateChunks, sameBytes } from "./state-chunks.ts";

export { STATE_PREFIX };

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
  /** Properties of the root. */
  #size: number;
  #proxy: object | undefined;
  /** Marked since the last batch; none while there is nothing to store, as for most of an actor's life. */
  #dirty: Set<string> | undefined;
  /** Suspects with the bytes that are stored of them. */
  #suspects: Map<string, Uint8Array | undefined> | undefined;
  #handlers: Map<string, PropertyHandler> | undefined;
  /** There when a property is, or was, in chunks. */
  #chunks: StateChunks | undefined;
  /** Large properties with their sizes; 0 for those that a warning has named. */
  #large: Map<string, number> | undefined;
  /** Told of every write that a trap sees. */
  onChange: (() => void) | undefined;

  private constructor(owner: StateOwner, root: Container) {
    this.#owner = owner;
    this.#root = root;
    this.#size = Object.keys(root).length;
  }

  /** The first state of a new actor: everything is still to be stored. */
  static create(owner: StateOwner, value: unknown): StateTree {
    const tree = new StateTree(owner, {});
    tree.replace(value);
    return tree;
  }

  /** What storage holds: rows, and the properties that are in chunks. */
  static load(
    owner: StateOwner,
    rows: readonly Row[],
    chunked: ReadonlyMap<string, Uint8Array> = NONE,
  ): StateTree {
    const root: Container = {};
    for (const row of rows) {
      if (row.key.startsWith(STATE_PREFIX)) root[row.key.slice(STATE_PREFIX.length)] = decodeCbor(row.value);
    }
    for (const [property, bytes] of chunked) root[property] = decodeCbor(bytes);
    const tree = new StateTree(owner, root);
    if (chunked.size > 0) tree.#chunks = new StateChunks(chunked);
    return tree;
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

  /** True when a write has happened that no trap saw, and that no batch has taken. */
  changedUnseen(): boolean {
    try {
      for (const [property, stored] of this.#suspects ?? []) {
        if (this.#dirty?.has(property) || !Object.hasOwn(this.#root, property)) continue;
        if (stored === undefined || !sameBytes(stored, encodeCbor(this.#root[property]))) return true;
      }
      return false;
    } catch {
      // What can't be encoded isn't what was stored.
      return true;
    }
  }

  /** A plain copy. */
  snapshot(): unknown {
    return cloneValue(this.#root, "state");
  }

  /** `c.state = value`. */
  replace(value: unknown): void {
    const copy = copied(value, "state");
    if (!isPlainObject(copy)) throw stateErrors.notAnObject();
    const keys = Object.keys(copy);
    checkPropertyCount(keys.length);
    keys.forEach(checkName);
    for (const key of [...Object.keys(this.#root), ...keys]) this.mark(key);
    this.#root = copy;
    this.#size = keys.length;
    this.#proxy = undefined;
  }

  /** A top-level property is about to come, or to go. Throws when there are too many. */
  resize(by: 1 | -1): void {
    checkPropertyCount(this.#size + by);
    this.#size += by;
  }

  /** A top-level property is about to change. Throws when it may not: the activation has ended. */
  mark(property: string): void {
    this.onChange?.();
    // Each time: the last batch may wait to be taken when the activation has ended already.
    this.#owner.wrote();
    this.#dirty ??= new Set();
    this.#dirty.add(property);
    if (this.#large !== undefined) this.#warn(property, this.#large);
  }

  /** A built-in of this property was handed out. */
  suspect(property: string): void {
    this.#suspects ??= new Map();
    if (this.#suspects.has(property)) return;
    const stored = this.#dirty?.has(property) ? undefined : encodeCbor(this.#root[property]);
    this.#suspects.set(property, stored);
  }

  /** Takes what must be stored. Throws when a property can't be: then the whole batch fails. */
  take(into: RowChange[]): void {
    if (this.#dirty !== undefined)
      for (const property of this.#dirty) this.#put(property, this.#encoded(property), into);
    if (this.#suspects !== undefined) this.#takeSuspects(this.#suspects, into);
    this.#dirty = undefined;
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
      if (this.#dirty?.has(property) || !Object.hasOwn(this.#root, property)) continue;
      const value = this.#encoded(property);
      if (value !== null && stored !== undefined && sameBytes(stored, value)) continue;
      this.#put(property, value, into);
    }
  }

  /** `null` when it is gone. Throws when it can't be stored. */
  #encoded(property: string): Uint8Array | null {
    if (!Object.hasOwn(this.#root, property)) {
      this.#suspects?.delete(property);
      return null;
    }
    const value = this.#bytesOf(property);
    if (this.#suspects?.has(property)) this.#suspects.set(property, value);
    return value;
  }

  #put(property: string, value: Uint8Array | null, into: RowChange[]): void {
    if (value !== null && value.byteLength > limits.stateChunkBytes) this.#chunks ??= new StateChunks(NONE);
    if (this.#chunks === undefined) into.push({ key: STATE_PREFIX + property, value });
    else this.#chunks.put(property, value, into);
  }

  /** Throws `storage.property_too_large`. */
  #bytesOf(property: string): Uint8Array {
    const limit = limits.statePropertyBytes;
    const value = encodeCborUpTo(this.#root[property], `state.${property}`, limit);
    const bytes = typeof value === "number" ? value : value.byteLength;
    if (typeof value === "number" || bytes > limit)
      throw storageErrors.propertyTooLarge(property, bytes, limit);
    if (bytes > limits.statePropertyWarnBytes && !this.#large?.has(property)) {
      this.#large ??= new Map();
      this.#large.set(property, bytes);
    }
    return value;
  }

  /** A large property is written again: whoever does is named, once. */
  #warn(property: string, large: Map<string, number>): void {
    const bytes = large.get(property);
    if (bytes === undefined || bytes === 0) return;
    large.set(property, 0);
    this.#owner.log.warn(
      `state.${property} is large, and encoded whole at every change: rows of its own (c.db, c.kv) would be smaller`,
      { property, bytes, cause: new Error(`state.${property} was written here`) },
    );
  }
}

const NONE: ReadonlyMap<string, Uint8Array> = new Map();

/** What the traps of `c.state` and of everything below it have in common. */
abstract class StateHandler implements ProxyHandler<Container> {
  abstract get(target: Container, key: PropertyKey): unknown;
  /** Where an error says that a value stands. */
  protected abstract path(key: string): string;
  /** `key` is about to be added (1), exchanged (0) or removed (-1). Throws when it may not. */
  protected abstract mark(key: string, by: 1 | 0 | -1): void;

  set(target: Container, key: PropertyKey, value: unknown): boolean {
    if (typeof key === "symbol") throw stateErrors.symbolKey();
    const property = String(key);
    checkKey(property);
    const known = Object.hasOwn(target, property);
    if (known && isPrimitive(value) && Object.is(target[property], value)) return true;
    const copy = copied(value, this.path(property));
    this.mark(property, known ? 0 : 1);
    target[property] = copy;
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
class RootHandler extends StateHandler {
  readonly #tree: StateTree;

  constructor(tree: StateTree) {
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
}

/** Traps of everything below one top-level property. */
class PropertyHandler extends StateHandler {
  readonly #tree: StateTree;
  readonly #property: string;
  readonly #proxies = new WeakMap<object, object>();
  readonly #scope: ArrayScope = {
    show: (element) => (typeof element === "object" && element !== null ? this.wrap(element) : element),
    copy: (value) => copied(value, this.path("[]")),
    mark: () => this.mark(),
  };

  constructor(tree: StateTree, property: string) {
    super();
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
    if (typeof value === "function" && Array.isArray(target))
      return movingMethod(target, key, this.#scope) ?? value;
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

/** A validated copy. The error of one that can't be is made here, so that its stack shows who assigned it. */
function copied<V>(value: V, path: string): V {
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
function checkName(property: string): void {
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
