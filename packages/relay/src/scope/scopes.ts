/**
 * Scopes: the current one, new ones, and which have ended. What is mutable about scopes is here, and is only that.
 */
import type { AsyncVariable } from "@troupe/base";
import type { RelayEnv } from "../env.ts";
import { relayErrors } from "../errors.ts";
import type { CategoryProfile, Metadata } from "../events/event.ts";
import type { Worker } from "../events/later.ts";
import { attempt, checkMetadata, checkReadable, checkText, checkTexts } from "../given.ts";
import { type LazyScope, madeScope, Places } from "./places.ts";
import { checkPropagation, type PropagationContext } from "./propagation.ts";
import { belongsTo, close, isOpen, Scope } from "./scope.ts";
import { standIn } from "./scope-elsewhere.ts";
import { type ScopeAttribute, ScopeType } from "./scope-type.ts";

/** What may be said of a new scope. */
export interface ScopeOptions {
  /** Default: the current scope. */
  readonly parent?: Scope;
  readonly attributes?: readonly ScopeAttribute[];
  /** The program's own, kept on the handle and never part of an event. */
  readonly data?: unknown;
  readonly metadata?: Metadata;
  /** Needs `subtype` for scopes of type "custom". */
  readonly categoryProfile?: CategoryProfile;
}

const scopeTypes: ReadonlySet<unknown> = new Set(Object.values(ScopeType));
const noAttributes: readonly ScopeAttribute[] = [];

/** All scopes of one relay. */
export class Scopes {
  /** Always there; no event is about it. */
  readonly root: Scope;
  readonly #newId: () => string;
  readonly #places: Places;
  /** The roots of stacks: no event is about them either. */
  readonly #roots = new WeakSet<Scope>();

  constructor(env: RelayEnv) {
    this.#newId = () => env.ids.ordered();
    this.#places = new Places(env.asyncContext.variable());
    this.root = this.#root();
    this.#roots.add(this.root);
  }

  get current(): Scope {
    return madeScope(this.here);
  }

  /** The current scope, which perhaps nobody has asked for yet. */
  get here(): Scope | LazyScope {
    return this.#places.scope ?? this.root;
  }

  /** Runs `fn`, and all that it awaits or starts, with `scope` as the current one. */
  run<R>(scope: Scope, fn: () => R): R {
    return this.#places.inScope(scope, fn);
  }

  /** Runs `fn` where nothing is going on, as the work of `worker`. */
  outside<R>(worker: Worker, fn: () => R): R {
    return this.#places.outside(this.root, worker, fn);
  }

  /** Whose work this is, or what that has left behind. */
  get worker(): Worker | undefined {
    return this.#places.worker;
  }

  /** A host's variable, beside the current scope. */
  kept<T>(scopeOf: (value: T) => LazyScope | undefined): AsyncVariable<T> {
    return this.#places.kept(this.root, scopeOf);
  }

  /** `scope` if it is this relay's; the current one if none is given. */
  own(scope: Scope | undefined): Scope {
    if (scope === undefined) return this.current;
    if (!belongsTo(scope, this)) throw relayErrors.foreignScope(attempt(() => String(scope.name)) ?? "");
    return scope;
  }

  open(name: string, scopeType: ScopeType, options: ScopeOptions = {}): Scope {
    checkReadable(options);
    const parent = this.own(options.parent);
    if (!scopeTypes.has(scopeType)) throw relayErrors.optionInvalid("scopeType", [...scopeTypes].join(", "));
    if (scopeType === "custom" && typeof options.categoryProfile?.subtype !== "string")
      throw relayErrors.subtypeMissing();
    return this.openCall(name, scopeType, parent, { options, profile: options.categoryProfile ?? null });
  }

  /** The scope of a managed call, whose parent is known to be right. */
  openCall(
    name: string,
    scopeType: ScopeType,
    parent: Scope,
    of: { readonly options: Omit<ScopeOptions, "categoryProfile">; readonly profile: CategoryProfile | null },
  ): Scope {
    checkText(name, "name");
    checkTexts(of.options.attributes, "attributes");
    checkMetadata(of.options.metadata);
    const { attributes, data = null, metadata = null } = of.options;
    return new Scope({
      owner: this,
      uuid: this.#newId,
      name,
      scopeType,
      attributes: attributes === undefined ? noAttributes : sorted(attributes),
      parent,
      top: this.isRoot(parent),
      data,
      metadata,
      categoryProfile: of.profile,
    });
  }

  /** A root of its own: work in it belongs to nothing else that goes on. */
  stack(): Scope {
    const scope = this.#root();
    this.#roots.add(scope);
    return scope;
  }

  /** A scope that stands for one of another process: work below it has that as its parent. */
  restore(context: PropagationContext): Scope {
    const { parentUuid, rootUuid } = checkPropagation(context);
    return standIn("remote", { owner: this, uuid: parentUuid, rootUuid });
  }

  /** Undefined at a root: there is nothing to belong to. */
  capture(scope: Scope): PropagationContext | undefined {
    if (this.isRoot(scope)) return undefined;
    return { version: 1, rootUuid: scope.rootUuid, parentUuid: scope.uuid };
  }

  /** True for the relay's root, and for that of a stack. */
  isRoot(scope: Scope): boolean {
    return scope === this.root || (scope.parent === undefined && this.#roots.has(scope));
  }

  isOpen(scope: Scope): boolean {
    return scope === this.root || isOpen(scope);
  }

  /** Throws when it isn't this relay's, is the root, or has ended. */
  checkEnd(scope: Scope): void {
    if (this.own(scope) === this.root) throw relayErrors.rootScope();
    if (!isOpen(scope)) throw relayErrors.scopeEnded(scope.name);
  }

  end(scope: Scope): void {
    close(scope);
  }

  #root(): Scope {
    return standIn("root", { owner: this, uuid: this.#newId });
  }
}

function sorted(attributes: readonly ScopeAttribute[]): readonly ScopeAttribute[] {
  return [...new Set(attributes)].sort();
}
