/**
 * Level: the registrations of one place, global or of one scope.
 *
 * Its lists are replaced when something changes and never altered, so that whoever took one keeps what was there then:
 * that is all that a call's snapshot needs.
 */
import { limits } from "@troupe/protocol";
import { relayErrors } from "../errors.ts";
import type { SubscriberQueue } from "../subscribers/subscriber-queue.ts";
import { kindRow, type MiddlewareKind, middlewareKindNames } from "./kinds.ts";
import type { MiddlewareShapes } from "./payloads.ts";
import type { GateTarget, MiddlewareContext, RegistrationRequest } from "./registration.ts";

type Answer<K extends MiddlewareKind> = MiddlewareShapes[K]["answer"];

/** A registration as chains hold it. */
export interface Entry<K extends MiddlewareKind = MiddlewareKind> {
  readonly kind: K;
  readonly name: string;
  readonly priority: number;
  readonly breakChain: boolean;
  readonly deadlineMs: number | null;
  /** A method, so that an entry of one kind passes for one of any; kinds that go around get `next` as well. */
  handle(
    payload: MiddlewareShapes[K]["payload"],
    context: MiddlewareContext,
  ): Answer<K> | PromiseLike<Answer<K>>;
  /** Subscribers alone. */
  readonly queue: SubscriberQueue | undefined;
  /** Gates alone. */
  readonly about: GateTarget | undefined;
}

/** The entry for a request that was checked. */
export function entryOf<K extends MiddlewareKind>(request: RegistrationRequest<K>): Entry<K> {
  const { kind, name, handle, priority = 0, breakChain = false } = request;
  const deadlineMs = request.deadlineMs === undefined ? kindRow(kind).deadlineMs : request.deadlineMs;
  const { about } = request;
  return { kind, name, priority, breakChain, deadlineMs, handle, queue: undefined, about };
}

/** True for an entry of kind "subscriber". */
export function isSubscriber(entry: Entry): entry is Entry<"subscriber"> {
  return entry.kind === "subscriber";
}

/** The lists of a place at one moment. */
export type Lists = { readonly [K in MiddlewareKind]: readonly Entry<K>[] };

const none = Object.fromEntries(middlewareKindNames.map((kind): [string, unknown] => [kind, []])) as Lists;

/** The registrations of one place. */
export class Level {
  #lists: Lists = none;
  #size = 0;

  get lists(): Lists {
    return this.#lists;
  }

  get size(): number {
    return this.#size;
  }

  /** Throws `relay.name_taken` or `relay.too_many_registrations`. */
  add(entry: Entry): void {
    const { kind, name } = entry;
    const list: readonly Entry[] = this.#lists[kind];
    if (this.find(kind, name) !== undefined) throw relayErrors.nameTaken(kind, name);
    if (this.#size === limits.relayRegistrations)
      throw relayErrors.tooManyRegistrations(limits.relayRegistrations);
    this.#replace(kind, byPriority([...list, entry]));
  }

  find(kind: MiddlewareKind, name: string): Entry | undefined {
    const list: readonly Entry[] = this.#lists[kind];
    return list.find((entry) => entry.name === name);
  }

  /** False when it isn't there. */
  remove(entry: Entry): boolean {
    const list: readonly Entry[] = this.#lists[entry.kind];
    const rest = list.filter((other) => other !== entry);
    if (rest.length === list.length) return false;
    this.#replace(entry.kind, rest);
    return true;
  }

  #replace(kind: MiddlewareKind, list: readonly Entry[]): void {
    this.#size += list.length - this.#lists[kind].length;
    this.#lists = { ...this.#lists, [kind]: list };
  }
}

/** Sorting is stable: equal priorities stay as they stand. */
export function byPriority<E extends Pick<Entry, "priority">>(entries: readonly E[]): readonly E[] {
  return entries.toSorted((one, other) => one.priority - other.priority);
}

/** Every entry of `level`, in the order of the table. */
export function entriesOf(level: Level): Entry[] {
  return middlewareKindNames.flatMap((kind): readonly Entry[] => level.lists[kind]);
}
