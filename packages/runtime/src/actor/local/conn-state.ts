/**
 * ConnState: the state of one connection.
 *
 * One that hibernates stores its state: what is assigned is copied and checked, and writes below are seen, as those of the
 * actor's state are. A Map or Date in it that is changed in place is stored with the connection's next row, at the latest
 * when the actor falls asleep. A connection that doesn't hibernate keeps what it was given.
 */
import { cloneValue, encodeCbor } from "@troupe/protocol";
import { STATE_PREFIX, type StateOwner, StateTree } from "./state-tree.ts";

const NAME = "connState";

/** True for a value that can be stored: what isn't belongs to one activation. */
export function isStorable(value: unknown): boolean {
  try {
    cloneValue(value, NAME);
    return true;
  } catch {
    return false;
  }
}

/** The state of a connection that hibernates. */
export class ConnState {
  readonly #owner: StateOwner;
  /** Behind by what was written through the tree, when there is one. */
  #value: unknown;
  #tree: StateTree | undefined;

  constructor(owner: StateOwner, value: unknown) {
    this.#owner = owner;
    this.#value = value;
  }

  get value(): unknown {
    if (typeof this.#value !== "object" || this.#value === null) return this.#value;
    // Made for the first who looks: most connections are only sent to.
    this.#tree ??= StateTree.load(this.#owner, [
      { key: STATE_PREFIX + NAME, value: encodeCbor(this.#value) },
    ]);
    return Reflect.get(this.#tree.proxy, NAME);
  }

  set value(value: unknown) {
    this.#value = cloneValue(value, NAME);
    this.#tree = undefined;
    this.#owner.wrote();
  }

  /** True when a write may have happened that nobody saw. */
  get suspicious(): boolean {
    return this.#tree?.suspicious === true;
  }

  /** A plain copy, to be stored now. */
  taken(): unknown {
    if (this.#tree === undefined) return this.#value;
    this.#tree.take([]);
    return Reflect.get(Object(this.#tree.snapshot()), NAME);
  }
}
