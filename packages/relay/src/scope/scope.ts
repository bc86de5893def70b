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
  readonly uuid: string;
  readonly name: string;
  readonly scopeType: ScopeType;
  readonly attributes: readonly ScopeAttribute[];
  readonly parent: Scope | undefined;
  readonly parentUuid: string | null;
  /** The trace that it belongs to: the uuid of its outermost ancestor, perhaps in another process. */
  readonly rootUuid: string;
  readonly data: unknown;
  readonly metadata: Metadata | null;
  readonly categoryProfile: CategoryProfile | null;
}

/** A handle of a scope: made by `withScope`, `pushScope` and managed calls, given to whoever should parent to it. */
export class Scope {
  readonly uuid: string;
  readonly name: string;
  readonly scopeType: ScopeType;
  /** Sorted, without duplicates. */
  readonly attributes: readonly ScopeAttribute[];
  /** The scope that it was made in; undefined for a relay's root and for one that stands for another process'. */
  readonly parent: Scope | undefined;
  /** Null when its parent is a relay's root. */
  readonly parentUuid: string | null;
  /** The trace that it belongs to: the uuid of its outermost ancestor, perhaps in another process. */
  readonly rootUuid: string;
  /** The program's own; never part of an event. */
  readonly data: unknown;
  readonly metadata: Metadata | null;
  readonly categoryProfile: CategoryProfile | null;

  constructor(parts: ScopeParts) {
    this.uuid = parts.uuid;
    this.name = parts.name;
    this.scopeType = parts.scopeType;
    this.attributes = parts.attributes;
    this.parent = parts.parent;
    this.parentUuid = parts.parentUuid;
    this.rootUuid = parts.rootUuid;
    this.data = parts.data;
    this.metadata = parts.metadata;
    this.categoryProfile = parts.categoryProfile;
  }
}
