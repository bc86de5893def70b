/**
 * Loans: objects that a program has assigned into the state, and may still hold.
 *
 *   const job = { done: false };
 *   c.state.jobs.push(job);
 *   await work(job);
 *   job.done = true;               // is the job in the state, as anywhere in JavaScript
 *
 * While the call that assigned it goes on, the object itself stands in the state. What the program writes to it passes no trap:
 * its property is a suspect for as long. When the call ends, a copy takes its place, so that nothing can be written past the traps
 * from then on. Proxies that were made in between go on with the copy ({@link LentHandler}).
 *
 * A batch may be taken in the middle of the call, for another one. What was written into a lent object that can't be stored is
 * the error of the call that assigned it, and the copy of before takes its place at once: nobody else's writes fail for it.
 *
 * What is lent is plain objects and arrays, with nothing in them but such, dates and what isn't an object, each in one place
 * of one state. Of all else a copy is put there at once.
 */
import { cloneValue, RAW } from "@troupe/protocol";
import {
  type Assigned,
  type Container,
  isContainer,
  type Place,
  type PropertyHandler,
} from "./state-traps.ts";

/** Whoever may go on writing to what it has assigned: a call, or a turn of other code. */
export interface Borrower {
  /** Calls `end` when it has ended, once. */
  atEnd(end: () => void): void;
}

/** What loans need of the tree. */
export interface LendingTree {
  handler(property: string): PropertyHandler;
  /** Nothing in the property is lent any more. Throws when what was written to it may not be: the activation has ended. */
  returned(property: string): void;
}

interface Loan extends Place, Assigned {
  readonly property: string;
  readonly value: Container;
  /** All objects in it that are lent. */
  readonly members: readonly object[];
}

/** What stands in a state, and somebody outside holds: one that is assigned again, there or elsewhere, is copied. */
const lent = new WeakSet<object>();

/** The loans of one tree. */
export class Loans {
  readonly #tree: LendingTree;
  readonly #of = new Map<Borrower, Loan[]>();
  /** How many there are in each property. */
  readonly #counts = new Map<string, number>();
  /** Why something was taken from whom before its time. */
  readonly #reclaimed = new Map<Borrower, unknown>();

  constructor(tree: LendingTree) {
    this.#tree = tree;
  }

  has(property: string): boolean {
    return this.#counts.has(property);
  }

  /** False when it can't be lent. */
  lend(borrower: Borrower, property: string, place: Place, { value, copy, path }: Assigned): boolean {
    if (!isContainer(value)) return false;
    const members: object[] = [];
    if (!collect(value, members)) {
      giveBack(members);
      return false;
    }
    let loans = this.#of.get(borrower);
    if (loans === undefined) {
      loans = [];
      this.#of.set(borrower, loans);
      borrower.atEnd(() => this.#end(borrower));
    }
    loans.push({ container: place.container, key: place.key, property, value, copy, path, members });
    this.#counts.set(property, (this.#counts.get(property) ?? 0) + 1);
    return true;
  }

  /** Takes back what can't be stored; true when there was some. Its borrower hears of it at the end. */
  reclaim(property: string): boolean {
    let reclaimed = false;
    for (const [borrower, loans] of this.#of)
      for (const loan of loans) {
        if (loan.property !== property || !standsThere(loan)) continue;
        const failures: unknown[] = [];
        const copy = this.#copyOf(loan, failures, "failed");
        if (failures.length === 0) continue;
        loan.container[placeOf(loan)] = copy;
        if (!this.#reclaimed.has(borrower)) this.#reclaimed.set(borrower, failures[0]);
        reclaimed = true;
      }
    return reclaimed;
  }

  /** Throws when something was written into a lent object that can't be stored: the copy of before stands there then. */
  #end(borrower: Borrower): void {
    const loans = this.#of.get(borrower) ?? [];
    this.#of.delete(borrower);
    const failures = this.#reclaimed.has(borrower) ? [this.#reclaimed.get(borrower)] : [];
    this.#reclaimed.delete(borrower);
    for (const loan of loans) {
      giveBack(loan.members);
      // Elsewhere it can only be inside of what is lent too, and is copied with that.
      if (standsThere(loan)) loan.container[placeOf(loan)] = this.#copyOf(loan, failures, "always");
    }
    for (const { property } of loans) {
      try {
        this.#giveBack(property);
      } catch (cause) {
        failures.push(cause);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #giveBack(property: string): void {
    const left = (this.#counts.get(property) ?? 0) - 1;
    if (left > 0) this.#counts.set(property, left);
    else {
      this.#counts.delete(property);
      this.#tree.returned(property);
    }
  }

  /** The object as it is now, or was when it could be stored. Proxies go on with the copy, always or if it `failed`. */
  #copyOf({ value, copy, path, property }: Loan, failures: unknown[], turning: "always" | "failed"): unknown {
    let latest = copy;
    try {
      latest = cloneValue(value, path);
      if (turning === "failed") return latest;
    } catch (cause) {
      failures.push(cause);
    }
    turn(this.#tree.handler(property), value, latest);
    return latest;
  }
}

/** Proxies of what was lent turn to its copy, whose shape is the same. */
function turn(handler: PropertyHandler, from: unknown, to: unknown): void {
  if (!isContainer(from) || !isContainer(to)) return;
  handler.turn(from, to);
  for (const key of Object.keys(to)) turn(handler, from[key], to[key]);
}

/** Lends all objects of a value, and says which. False when it can't be lent: some of them were. */
function collect(value: unknown, members: object[]): boolean {
  if (typeof value !== "object" || value === null || value instanceof Date) return true;
  if (!isContainer(value) || lent.has(value)) return false;
  if (!Object.isExtensible(value) || value[RAW] !== undefined) return false;
  lent.add(value);
  members.push(value);
  if (Array.isArray(value)) return value.every((element) => collect(element, members));
  return Object.keys(value).every((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    return descriptor !== undefined && "value" in descriptor && collect(descriptor.value, members);
  });
}

function giveBack(members: readonly object[]): void {
  for (const member of members) lent.delete(member);
}

/** False when it was replaced or removed, or stands inside of something else that is lent. */
function standsThere(loan: Loan): boolean {
  return loan.container[placeOf(loan)] === loan.value;
}

/** Where a loan stands, if it is still in the container that it was put in. */
function placeOf({ container, key, value }: Loan): PropertyKey {
  return container[key] === value || !Array.isArray(container) ? key : container.indexOf(value);
}
