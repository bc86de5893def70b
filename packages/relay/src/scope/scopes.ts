/**
 * Scopes: the current one, new ones, and which have ended. What is mutable about scopes is here, and is only that.
 */
import type { AsyncVariable } from "@troupe/base";
import type { RelayEnv } from "../env.ts";
import { relayErrors } from "../errors.ts";
import type { CategoryProfile, Metadata } from "../events/event.ts";
import { checkPropagation, type PropagationContext } from "./propagation.ts";
import { Scope } from "./scope.ts";
import type { ScopeAttribute, ScopeType } from "./scope-type.ts";

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

const noAttributes: readonly ScopeAttribute[] = [];

/** All scopes of one relay. */
export class Scopes {
  /** Always there; no event is about it. */
  readonly root: Scope;
  readonly #ids: RelayEnv["ids"];
  readonly #current: AsyncVariable<Scope>;
  readonly #open = new WeakSet<Scope>();
  readonly #known = new WeakSet<Scope>();

  constructor(env: RelayEnv) {
    this.#ids = env.ids;
    this.#current = env.asyncContext.variable<Scope>();
    const uuid = env.ids.ordered();
    this.root = this.#remember({ uuid, name: "root", parentUuid: null, rootUuid: uuid });
  }

  get current(): Scope {
    return this.#current.get() ?? this.root;
  }

  /** Runs `fn`, and all that it awaits or starts, with `scope` as the current one. */
  run<R>(scope: Scope, fn: () => R): R {
    return this.#current.run(scope, fn);
  }

  /** `scope` if it is this relay's; the current one if none is given. */
  own(scope: Scope | undefined): Scope {
    if (scope === undefined) return this.current;
    if (!this.#known.has(scope)) throw relayErrors.foreignScope(String(scope?.name));
    return scope;
  }

  open(name: string, scopeType: ScopeType, options: ScopeOptions = {}): Scope {
    const parent = this.own(options.parent);
    if (scopeType === "custom" && typeof options.categoryProfile?.subtype !== "string")
      throw relayErrors.subtypeMissing();
    const uuid = this.#ids.ordered();
    const top = parent === this.root;
    const scope = new Scope({
      uuid,
      name,
      scopeType,
      attributes: options.attributes === undefined ? noAttributes : sorted(options.attributes),
      parent,
      parentUuid: top ? null : parent.uuid,
      rootUuid: top ? uuid : parent.rootUuid,
      data: options.data ?? null,
      metadata: options.metadata ?? null,
      categoryProfile: options.categoryProfile ?? null,
    });
    this.#known.add(scope);
    this.#open.add(scope);
    return scope;
  }

  /** A scope that stands for one of another process: work below it has that as its parent. */
  restore(context: PropagationContext): Scope {
    const { parentUuid, rootUuid } = checkPropagation(context);
    const scope = this.#remember({
      uuid: parentUuid,
      name: "remote",
      parentUuid: null,
      rootUuid: rootUuid ?? parentUuid,
    });
    this.#open.add(scope);
    return scope;
  }

  /** Undefined at the root: there is nothing to belong to. */
  capture(scope: Scope): PropagationContext | undefined {
    if (scope === this.root) return undefined;
    return { version: 1, rootUuid: scope.rootUuid, parentUuid: scope.uuid };
  }

  isOpen(scope: Scope): boolean {
    return scope === this.root || this.#open.has(scope);
  }

  /** Throws when it isn't this relay's, is the root, or has ended. */
  checkEnd(scope: Scope): void {
    if (this.own(scope) === this.root) throw relayErrors.rootScope();
    if (!this.#open.has(scope)) throw relayErrors.scopeEnded(scope.name);
  }

  end(scope: Scope): void {
    this.#open.delete(scope);
  }

  #remember(parts: Pick<Scope, "uuid" | "name" | "parentUuid" | "rootUuid">): Scope {
    const scope = new Scope({
      ...parts,
      scopeType: "agent",
      attributes: noAttributes,
      parent: undefined,
      data: null,
      metadata: null,
      categoryProfile: null,
    });
    this.#known.add(scope);
    return scope;
  }
}

function sorted(attributes: readonly ScopeAttribute[]): readonly ScopeAttribute[] {
  return [...new Set(attributes)].sort();
}
