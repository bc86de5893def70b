/**
 * StateTree: an actor's state, saved by top-level property.
 *
 * User code gets a write-through proxy. A write anywhere below a top-level property marks that property, and only
 * marked ones are encoded when the batch is taken. What is assigned is validated at the moment of the assignment: the
 * error is on the user's own stack and names the path. A copy of it is what stays (while the call that assigned it goes
 * on, it is the object itself: `state-loans.ts`), so that nothing outside can change the state without passing through here.
 *
 * Built-ins that keep their data in internal slots (Map, Set, Date, typed arrays) can't be watched. They are handed out
 * as they are; a property in which one was read is a *suspect* from then on: it is encoded at every batch and stored
 * when its bytes differ from the stored ones. While there are suspects every output has to assume a write, so the
 * owner asks `suspicious` before it lets one go.
 */

import type { Logger } from "@troupe/base";
import { cloneValue, decodeCbor, encodeCbor, encodeCborUpTo, limits } from "@troupe/protocol";
import { stateErrors, storageErrors } from "../../errors.ts";
import type { Row, RowChange } from "../../ports/storage.ts";
import { checkPropertyCount } from "../state-size.ts";
import { STATE_PREFIX, StateChunks, sameBytes } from "./state-chunks.ts";
import { type Borrower, Loans } from "./state-loans.ts";
import {
  type Assigned,
  type Container,
  checkName,
  copied,
  isPlainObject,
  type Place,
  PropertyHandler,
  RootHandler,
  type TreeOfTraps,
} from "./state-traps.ts";

export { STATE_PREFIX };

/** What the tree needs from its owner. */
export interface StateOwner {
  /** A property changed, or may have. */
  wrote(): void;
  readonly log: Logger;
  /** Who assigns now; nobody where nothing is lent. */
  borrower?(): Borrower | undefined;
}

/** What is known of a property that may be written unseen. */
interface Suspect {
  /** Undefined while it is marked. */
  stored: Uint8Array | undefined;
  /** False: only as long as something in it is lent. */
  lasting: boolean;
}

/** The durable state of one activation. */
export class StateTree implements TreeOfTraps {
  readonly #owner: StateOwner;
  #root: Container;
  /** Properties of the root. */
  #size: number;
  #proxy: object | undefined;
  /** Marked since the last batch; none while there is nothing to store, as for most of an actor's life. */
  #dirty: Set<string> | undefined;
  /** None for most of an actor's life. */
  #suspects: Map<string, Suspect> | undefined;
  #loans: Loans | undefined;
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
      for (const [property, suspect] of this.#suspects ?? [])
        if (this.#differs(property, suspect)) return true;
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
    this.#suspectOf(property).lasting = true;
  }

  lends(property: string): boolean {
    return this.#loans?.has(property) === true;
  }

  admit(property: string, place: Place, assigned: Assigned): unknown {
    const borrower = this.#owner.borrower?.();
    if (borrower === undefined) return assigned.copy;
    this.#loans ??= new Loans({
      handler: (name) => this.handler(name),
      returned: (name) => this.#returned(name),
    });
    if (!this.#loans.lend(borrower, property, place, assigned)) return assigned.copy;
    this.#suspectOf(property);
    return assigned.value;
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

  #suspectOf(property: string): Suspect {
    this.#suspects ??= new Map();
    let suspect = this.#suspects.get(property);
    if (suspect === undefined) {
      const stored = this.#dirty?.has(property) ? undefined : encodeCbor(this.#root[property]);
      suspect = { stored, lasting: false };
      this.#suspects.set(property, suspect);
    }
    return suspect;
  }

  /** True when a suspect was written, and no batch has taken it. Throws where it can't be encoded. */
  #differs(property: string, { stored }: Suspect): boolean {
    if (this.#dirty?.has(property) || !Object.hasOwn(this.#root, property)) return false;
    return stored === undefined || !sameBytes(stored, encodeCbor(this.#root[property]));
  }

  /** Nothing in a property is lent any more: what was written to it unseen is marked. */
  #returned(property: string): void {
    const suspect = this.#suspects?.get(property);
    if (suspect === undefined || suspect.lasting) return;
    const written = this.#differs(property, suspect);
    this.#suspects?.delete(property);
    if (this.#suspects?.size === 0) this.#suspects = undefined;
    if (written) this.mark(property);
  }

  #takeSuspects(suspects: Map<string, Suspect>, into: RowChange[]): void {
    for (const [property, { stored }] of suspects) {
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
    const value = this.#storable(property);
    const suspect = this.#suspects?.get(property);
    if (suspect !== undefined) suspect.stored = value;
    return value;
  }

  #put(property: string, value: Uint8Array | null, into: RowChange[]): void {
    if (value !== null && value.byteLength > limits.stateChunkBytes) this.#chunks ??= new StateChunks(NONE);
    if (this.#chunks === undefined) into.push({ key: STATE_PREFIX + property, value });
    else this.#chunks.put(property, value, into);
  }

  /** What is lent doesn't keep others from storing theirs. */
  #storable(property: string): Uint8Array {
    try {
      return this.#bytesOf(property);
    } catch (cause) {
      if (this.#loans?.reclaim(property) !== true) throw cause;
      return this.#bytesOf(property);
    }
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
