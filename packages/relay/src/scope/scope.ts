/**
 * Scope: what is going on, as a value.
 *
 * Scopes make a tree: each knows its parent and nobody knows its children. The current scope is a variable of the async
 * context, set for the extent of a function, so that concurrent work has a current scope of its own each, and ending
 * one scope can't take another's place. Nothing about a scope changes after it was made, except that it ends; scopes end
 * in any order, also a parent before its children.
 */
import type { CategoryProfile, Metadata } from "../events/event.ts";
import type { ScopeAttribute, ScopeType } from "./scope-type.ts";

/** What a scope is made of. */
export interface ScopeParts {
  /** Whose it is: scopes of one relay mean nothing to another. */
  readonly owner: object;
  /** Makes its id when somebody asks for it: where nobody listens, nobody does. */
  readonly uuid: string | (() => string);
  readonly name: string;
  readonly scopeType: ScopeType;
  readonly attributes: readonly ScopeAttribute[];
  readonly parent: Scope | undefined;
  /** True below a relay's root and below the root of a stack: its parent isn't told. */
  readonly top: boolean;
  /** Where no parent is in this process: the trace that it belongs to. Default: its own. */
  readonly rootUuid?: string | undefined;
  readonly data: unknown;
  readonly metadata: Metadata | null;
  readonly categoryProfile: CategoryProfile | null;
}

/** True for a scope that `owner` has made. */
export let belongsTo: (scope: unknown, owner: object) => boolean;
/** True until it has ended. */
export let isOpen: (scope: Scope) => boolean;
/** It has ended. */
export let close: (scope: Scope) => void;

/** A handle of a scope: made by `withScope`, `pushScope` and managed calls, given to whoever should parent to it. */
export class Scope {
  readonly name: string;
  readonly scopeType: ScopeType;
  /** Sorted, without duplicates. */
  readonly attributes: readonly ScopeAttribute[];
  /** The scope that it was made in; undefined for roots and for one that stands for another process'. */
  readonly parent: Scope | undefined;
  /** The program's own; never part of an event. */
  readonly data: unknown;
  readonly metadata: Metadata | null;
  readonly categoryProfile: CategoryProfile | null;
  readonly #owner: object;
  readonly #top: boolean;
  readonly #rootUuid: string | undefined;
  #uuid: string | (() => string);
  #open = true;

  static {
    belongsTo = (scope, owner) =>
      typeof scope === "object" && scope !== null && #owner in scope && scope.#owner === owner;
    isOpen = (scope) => scope.#open;
    close = (scope) => scope.#close();
  }

  constructor(parts: ScopeParts) {
    this.name = parts.name;
    this.scopeType = parts.scopeType;
    this.attributes = parts.attributes;
    this.parent = parts.parent;
    this.data = parts.data;
    this.metadata = parts.metadata;
    this.categoryProfile = parts.categoryProfile;
    this.#owner = parts.owner;
    this.#top = parts.top;
    this.#rootUuid = parts.rootUuid;
    this.#uuid = parts.uuid;
  }

  #close(): void {
    this.#open = false;
  }

  /** A UUIDv7. */
  get uuid(): string {
    if (typeof this.#uuid !== "string") this.#uuid = this.#uuid();
    return this.#uuid;
  }

  /** Null at the top: what is above has no events. */
  get parentUuid(): string | null {
    return this.#top || this.parent === undefined ? null : this.parent.uuid;
  }

  /** The trace that it belongs to: the uuid of its outermost ancestor, perhaps in another process. */
  get rootUuid(): string {
    // Scopes may be nested deeper than functions can be.
    let at: Scope = this;
    while (at.#rootUuid === undefined && !at.#top && at.parent !== undefined) at = at.parent;
    return at.#rootUuid ?? at.uuid;
  }
}
