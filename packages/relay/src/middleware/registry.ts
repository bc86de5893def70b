/** Registry: all registrations of one relay, and which of them are visible from a scope. */
import { limits } from "@troupe/protocol";
import type { RelayEnv } from "../env.ts";
import { relayErrors } from "../errors.ts";
import { errorWithoutSecrets } from "../redaction/error-without-secrets.ts";
import type { Scope } from "../scope/scope.ts";
import type { Scopes } from "../scope/scopes.ts";
import { type QueueParts, SubscriberQueue } from "../subscribers/subscriber-queue.ts";
import { Chains } from "./chains.ts";
import { Gates } from "./gates.ts";
import { invoke } from "./invoke.ts";
import { isMiddlewareKind, type MiddlewareKind } from "./kinds.ts";
import { type Entry, entriesOf, entryOf, isSubscriber, Level } from "./level.ts";
import {
  checkRequest,
  type Registration,
  type RegistrationOptions,
  type RegistrationRequest,
} from "./registration.ts";

/** A registration in a list of all. */
export type RegistrationIdentity = Omit<Registration, "deregister" | typeof Symbol.dispose>;

/** The registrations of one relay. */
export class Registry {
  readonly #env: RelayEnv;
  readonly #scopes: Scopes;
  readonly #later: QueueParts["later"];
  readonly #global = new Level();
  /** The levels of scopes that have registrations. Few, and gone with their scopes. */
  readonly #local = new Map<Scope, Level>();
  /** The queues that have something to do, also of subscribers that are gone: what they were offered they get. */
  readonly #busy = new Set<SubscriberQueue>();
  /** Of subscribers, as long as somebody has their registration: what they wait for is theirs. */
  readonly #queues = new WeakMap<Registration, SubscriberQueue>();
  readonly #gates: Gates;
  /** Registrations whose failure the log has. */
  readonly #told = new WeakSet<Entry>();
  #chains: Chains;

  constructor(env: RelayEnv, scopes: Scopes, later: QueueParts["later"]) {
    this.#env = env;
    this.#scopes = scopes;
    this.#later = later;
    this.#gates = new Gates(env.log);
    this.#chains = new Chains(this.#global.lists, []);
  }

  /** True when no event is about `scope` and none should say that it is below it. */
  isRoot(scope: Scope): boolean {
    return this.#scopes.isRoot(scope);
  }

  register<K extends MiddlewareKind>(request: RegistrationRequest<K>): Registration {
    checkRequest(request);
    const { scope } = request;
    const level = this.#levelOf(scope);
    const entry = this.#withQueue(entryOf(request), request);
    level.add(entry);
    if (scope !== undefined && level !== this.#global) this.#local.set(scope, level);
    this.#chains = new Chains(this.#global.lists, []);
    const { kind, name, priority } = entry;
    const deregister = (): boolean => this.#remove(level, entry, scope);
    const scopeUuid = level === this.#global ? null : (scope?.uuid ?? null);
    const dispose = (): void => void deregister();
    const registration: Registration = {
      ...{ kind, name, priority, scopeUuid, deregister },
      [Symbol.dispose]: dispose,
    };
    if (entry.queue !== undefined) this.#queues.set(registration, entry.queue);
    return registration;
  }

  /** Takes away what has that name in that place. False when nothing has. */
  deregister(kind: MiddlewareKind, name: string, scope?: Scope): boolean {
    if (!isMiddlewareKind(kind)) throw relayErrors.kindUnknown(kind);
    const local = scope === undefined || this.#scopes.own(scope) === this.#scopes.root ? undefined : scope;
    const level = local === undefined ? this.#global : this.#local.get(local);
    const entry = level?.find(kind, name);
    return level !== undefined && entry !== undefined && this.#remove(level, entry, local);
  }

  /** All that is visible from `scope`, as it is now. */
  chainsAt(scope: Scope): Chains {
    if (this.#local.size === 0 && this.#ungated) return this.#chains;
    const levels: Level[] = [];
    for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
      const level = this.#local.get(at);
      if (level !== undefined) levels.push(level);
    }
    if (levels.length === 0 && this.#ungated) return this.#chains;
    const gates = this.#global.lists.conditional_middleware_guardrail;
    return new Chains(
      this.#global.lists,
      levels.reverse().map((level) => level.lists),
      gates.length === 0 ? undefined : (kind, entries) => this.#gates.passed(gates, kind, entries),
    );
  }

  subscribersAt(scope: Scope): readonly Entry<"subscriber">[] {
    if (this.#local.size === 0 && this.#ungated) return this.#global.lists.subscriber;
    return this.chainsAt(scope).of("subscriber");
  }

  /** The scope has ended: what was registered in it is gone. */
  end(scope: Scope): void {
    if (this.#local.size === 0) return;
    for (const { queue } of this.#local.get(scope)?.lists.subscriber ?? []) queue?.release();
    this.#local.delete(scope);
  }

  /** Everything that is registered: what is global first, each place in the order of the table. */
  list(): RegistrationIdentity[] {
    const places: readonly (readonly [string | null, Level])[] = [
      [null, this.#global],
      ...Array.from(this.#local, ([scope, level]): readonly [string, Level] => [scope.uuid, level]),
    ];
    return places.flatMap(([scopeUuid, level]) =>
      entriesOf(level).map(({ kind, name, priority }) => ({ kind, name, priority, scopeUuid })),
    );
  }

  /** The queues of all subscribers, also of scope-local ones. */
  subscribers(): Entry<"subscriber">[] {
    return [this.#global, ...this.#local.values()].flatMap((level) => [...level.lists.subscriber]);
  }

  /** Settles when all that was offered to subscribers, or to that one alone, has been handled or lost. */
  async flushed(only?: Registration): Promise<void> {
    if (only !== undefined) await this.#queues.get(only)?.flushed(true);
    else await Promise.all(Array.from(this.#busy, (queue) => queue.flushed()));
  }

  /** True when nothing is registered that an action could meet, or be told to, wherever it runs. */
  get isQuiet(): boolean {
    const { subscriber, action_conditional_execution_guardrail: guardrails } = this.#global.lists;
    return this.#local.size === 0 && subscriber.length === 0 && guardrails.length === 0;
  }

  get #ungated(): boolean {
    return this.#global.lists.conditional_middleware_guardrail.length === 0;
  }

  #levelOf(scope: Scope | undefined): Level {
    if (scope === undefined || this.#scopes.own(scope) === this.#scopes.root) return this.#global;
    if (!this.#scopes.isOpen(scope)) throw relayErrors.scopeEnded(scope.name);
    return this.#local.get(scope) ?? new Level();
  }

  #remove(level: Level, entry: Entry, scope: Scope | undefined): boolean {
    const gone = scope !== undefined && level !== this.#global && this.#local.get(scope) !== level;
    const removed = level.remove(entry) && !gone;
    if (removed) entry.queue?.release();
    if (scope !== undefined && level.size === 0) this.#local.delete(scope);
    this.#chains = new Chains(this.#global.lists, []);
    return removed;
  }

  /** A middleware in a call's way has failed: its author reads why in the log, once. */
  tellFailure(entry: Entry, error: unknown): void {
    if (this.#told.has(entry)) return;
    this.#told.add(entry);
    this.#env.log.warn(`The ${entry.kind} "${entry.name}" failed; more of it isn't logged`, {
      error: errorWithoutSecrets(error),
    });
  }

  #withQueue(entry: Entry, options: RegistrationOptions): Entry {
    if (!isSubscriber(entry)) return entry;
    const queue = new SubscriberQueue({
      limit: options.queueLimit ?? limits.relaySubscriberQueue,
      overflow: options.overflow ?? "drop_newest",
      handle: (event) => invoke(entry, event, undefined, this.#env.timers),
      later: this.#later,
      busy: this.#busy,
      failed: (error) =>
        this.#env.log.warn(`Subscriber "${entry.name}" failed; more of it isn't logged`, {
          error: errorWithoutSecrets(error),
        }),
    });
    return { ...entry, queue };
  }
}
