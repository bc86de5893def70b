/**
 * RemoteHosts: the hosts that are connected to this engine, by pool.
 *
 * An actor that is placed remotely is started on the host with the fewest running instances that has its code. When none
 * is there, the activation waits for one, as long as a caller would.
 */

import type { Env, TimerHandle, TroupeError } from "@troupe/base";
import { engineLimits, limits } from "@troupe/protocol";
import { decodeDeclarations } from "@troupe/protocol/actor/v1";
import type { HostHello } from "@troupe/protocol/host/v1";
import { type Catalogue, checkPoolName, DEFAULT_NAMESPACE } from "../engine/catalogue.ts";
import { engineErrors } from "../engine/errors.ts";
import { configErrors } from "../errors.ts";
import type { ActorCarrier } from "../ports/carried.ts";
import type { Functions } from "../ports/functions.ts";
import type { Link } from "../ports/transport.ts";
import { Allocator } from "./allocator.ts";
import { type HostProtocol, hostProtocol } from "./compatibility.ts";
import { checkWithin } from "./drain-options.ts";
import { checkDrained, type DrainedHosts } from "./drained-hosts.ts";
import { EngineSession, poolOf } from "./engine-session.ts";
import { remoteErrors } from "./errors.ts";
import { type HostsConfig, HostTokens } from "./host-tokens.ts";
import { OpeningLink } from "./opening-link.ts";
import { Placement, placeOf, type WaitState } from "./placement.ts";
import { surplusOf } from "./spread.ts";

/** What an engine's hosts are kept with. */
export interface RemoteHostsParts {
  readonly env: Env;
  /** Which hosts are taken; without it none is. */
  readonly config: HostsConfig | undefined;
  readonly catalogue: Catalogue;
  /** Starts serverless hosts; without it there are none. */
  readonly functions?: Functions | undefined;
  /** For tests of compatibility. */
  readonly protocol?: HostProtocol;
}

/** A remote host, as its engine sees it. */
export interface RemoteHostSummary {
  readonly hostId: string;
  /** Its name. */
  readonly namespace: string;
  readonly pool: string;
  readonly programVersion: number;
  /** `away`: its connection is lost, and it may come back. `draining`: its actors move to other hosts. */
  readonly state: "open" | "away" | "draining" | "over";
  readonly instances: number;
  /** The names of the actors that it has. */
  readonly actors: readonly string[];
}

/** An actor that is to be placed. */
export interface HostedPlace {
  /** The namespace's id. */
  readonly namespace: string;
  readonly pool: string;
  readonly name: string;
}

interface Waiting extends HostedPlace {
  readonly place: string;
  readonly timer: TimerHandle;
  found(carrier: ActorCarrier): void;
  failed(error: unknown): void;
}

/** The remote hosts of one engine. */
export class RemoteHosts {
  /** A host has come back to its session. */
  onResumed: () => void = () => {};
  readonly #parts: RemoteHostsParts;
  readonly #protocol: HostProtocol;
  readonly #tokens: HostTokens;
  readonly #opening = new Set<OpeningLink>();
  readonly #sessions = new Map<string, EngineSession>();
  readonly #placement = new Placement();
  readonly #allocator: Allocator | undefined;
  readonly #waiting = new Set<Waiting>();

  constructor(parts: RemoteHostsParts) {
    this.#parts = parts;
    const { config, env } = parts;
    const idOf = (option: string, name: string | undefined): string => this.#configured(option, name);
    this.#tokens = new HostTokens({ config, crypto: env.crypto, idOf });
    this.#allocator = this.#allocate();
    for (const { namespace, pool, programVersion } of parts.catalogue.withdrawals())
      this.#placement.withdraw(placeOf(namespace, pool), programVersion);
    this.#protocol = parts.protocol ?? hostProtocol;
  }

  /** Hosts that were taken and are there. */
  get size(): number {
    return [...this.#sessions.values()].filter((session) => session.open).length;
  }

  /** Somebody who wants to be a host. */
  accept(link: Link): void {
    const opening = new OpeningLink({
      env: this.#parts.env,
      link,
      protocol: this.#protocol,
      check: (hello) => this.#check(hello),
      taken: (hello, version) => this.#taken(link, hello, version),
      ended: (ended) => this.#opening.delete(ended),
    });
    this.#opening.add(opening);
    // Whoever means it says Hello at once: a flood of others crowds out itself.
    const [oldest] = this.#opening;
    if (this.#opening.size > engineLimits.hostsOpening) oldest?.crowdedOut();
  }

  /** The hosts that were taken, and what they have. */
  list(): readonly RemoteHostSummary[] {
    return [...this.#sessions.values()].map(({ id, namespace, pool, program, state, load, actors }) => ({
      ...{ hostId: id, namespace: this.#nameOf(namespace), pool, programVersion: program },
      ...{ state, instances: load, actors },
    }));
  }

  /** Actors that wait for a host. */
  waiting(): readonly { readonly pool: string; readonly name: string; readonly state: WaitState }[] {
    return [...this.#waiting].map(({ place, pool, name }) => ({
      ...{ pool, name, state: this.#placement.stateOf(place) },
    }));
  }

  /**
   * Moves the actors of hosts to others: those of a pool, of one version of the program, of versions before one, or one host.
   * Settles when nothing runs on them, and they were told that they may stop; what hasn't left in `withinMs` (default: 30 s)
   * is lost. Without another host that has their actors, callers wait for one. Rejects with `config.unknown_option`,
   * `config.invalid_option`, `namespace.not_found`, `host.not_found`: then nothing has happened.
   */
  async drain(which: DrainedHosts, withinMs: number = limits.hostDrainMs): Promise<void> {
    checkDrained(which);
    checkWithin(withinMs);
    const { hostId } = which;
    if (hostId !== undefined && !this.#sessions.has(hostId)) throw engineErrors.hostNotFound(hostId);
    const only = which.namespace === undefined ? undefined : this.#parts.catalogue.idOf(which.namespace);
    const chosen = [...this.#sessions.values()].filter(
      ({ id, namespace, pool, program }) =>
        namespace === (only ?? namespace) &&
        pool === (which.pool ?? pool) &&
        id === (hostId ?? id) &&
        program === (which.programVersion ?? program) &&
        program < (which.olderThan ?? Infinity),
    );
    await Promise.all(chosen.map((session) => session.drain(withinMs)));
  }

  /**
   * No new actors on hosts of this version of the program, now or later: the way back from one that is bad. Durable. Throws
   * `namespace.not_found`, `host.invalid_pool`, `config.invalid_option`, `storage.*`: then nothing has changed.
   */
  withdraw(pool: string, programVersion: number, namespace?: string): void {
    const place = this.#place(pool, namespace);
    const { catalogue } = this.#parts;
    catalogue.withdraw({ namespace: catalogue.idOf(namespace), pool, programVersion });
    this.#placement.withdraw(place, programVersion);
  }

  /** Takes a `withdraw` back. Durable. */
  restore(pool: string, programVersion: number, namespace?: string): void {
    const place = this.#place(pool, namespace);
    const { catalogue } = this.#parts;
    catalogue.restore({ namespace: catalogue.idOf(namespace), pool, programVersion });
    this.#placement.restore(place, programVersion);
    this.#changed();
  }

  /** A host's way to an actor. Rejects with `host.none_available` when no host has come in time. */
  async carrier({ namespace, pool, name }: HostedPlace): Promise<ActorCarrier> {
    const place = placeOf(namespace, pool);
    const found = this.#find(place, name);
    if (found !== undefined) return found;
    return await new Promise((resolve, reject) => {
      const waiting: Waiting = {
        ...{ place, namespace, pool, name },
        timer: this.#parts.env.timers.set(() => {
          this.#waiting.delete(waiting);
          reject(this.#none(waiting));
        }, this.#placement.waitMs(place)),
        found: resolve,
        failed: reject,
      };
      this.#waiting.add(waiting);
      this.#allocator?.ask(place);
    });
  }

  /** No host is used any more. */
  close(): void {
    for (const waiting of this.#waiting) {
      this.#parts.env.timers.clear(waiting.timer);
      waiting.failed(this.#none(waiting));
    }
    this.#waiting.clear();
    this.#allocator?.close();
    for (const opening of [...this.#opening]) opening.close();
    for (const session of [...this.#sessions.values()]) session.close();
  }

  /** A host that is known goes on where it was; any other one is new. */
  #taken(link: Link, hello: HostHello, version: number): void {
    const { env, catalogue, config } = this.#parts;
    const namespace = this.#namespaceOf(hello) ?? catalogue.idOf(hello.namespace);
    const pool = poolOf(hello);
    const known = hello.resume && this.#sessions.get(hello.resume.hostId);
    // Its token is good for this place: a session of another one isn't its to take up.
    const isItsOwn = known?.place === placeOf(namespace, pool);
    if (isItsOwn && hello.resume !== undefined && known.resume(hello.resume, link, version))
      return this.onResumed();
    const actors = decodeDeclarations(hello.actors, remoteErrors.malformed);
    catalogue.seen(pool, namespace);
    if (config?.actors === "any") catalogue.learn({ namespace, pool, actors: [...actors.values()] });
    const session = new EngineSession({
      ...{ env, link, hello, namespace, actors, version, protocol: this.#protocol },
      changed: () => this.#changed(),
      ended: (ended) => this.#sessions.delete(ended.id),
    });
    this.#sessions.set(session.id, session);
    this.#placement.seen(session);
    this.#allocator?.arrived(session.place);
    this.#changed();
    if (config?.spread?.includes(pool) === true)
      for (const [host, surplus] of surplusOf(this.#sessions.values(), session)) host.shed(surplus);
  }

  #find(place: string, name: string): ActorCarrier | undefined {
    const session = this.#placement.best(this.#sessions.values(), place, name);
    session?.promise();
    return session?.carrier(name);
  }

  #changed(): void {
    for (const waiting of this.#waiting) {
      const found = this.#find(waiting.place, waiting.name);
      if (found === undefined) continue;
      this.#waiting.delete(waiting);
      this.#parts.env.timers.clear(waiting.timer);
      waiting.found(found);
    }
  }

  /** The token first: whoever has none learns nothing of what there is here. */
  #check(hello: HostHello): void {
    const { namespace, token } = hello;
    const pool = poolOf(hello);
    if (this.#parts.config === undefined) throw engineErrors.notEnabled();
    const id = this.#namespaceOf(hello);
    this.#tokens.check(token, { id, namespace: namespace || DEFAULT_NAMESPACE, pool });
    checkPoolName(pool);
    if (id === undefined) throw engineErrors.namespaceNotFound(namespace);
  }

  /**
   * The id of a host's namespace; undefined when there is none of the name. One that comes back to its session is where it was,
   * whatever its namespace is called by now.
   */
  #namespaceOf({ namespace, resume }: HostHello): string | undefined {
    const session = resume && this.#sessions.get(resume.hostId);
    return session?.said === namespace ? session.namespace : this.#parts.catalogue.find(namespace);
  }

  /** The id of a namespace that the program names. Throws `config.invalid_option`. */
  #configured(option: string, name: string | undefined): string {
    const id = this.#parts.catalogue.configured(name);
    if (id !== undefined) return id;
    throw configErrors.invalidOption(
      option,
      `a namespace that is there: "${name}" isn't, setup({ namespaces }) makes it`,
    );
  }

  #none({ place, namespace, pool, name }: Waiting): TroupeError {
    const wanted = { pool, namespace: this.#nameOf(namespace), name, state: this.#placement.stateOf(place) };
    return engineErrors.noneAvailable(wanted, this.#allocator?.reason(place));
  }

  #allocate(): Allocator | undefined {
    const { env, config, functions } = this.#parts;
    if (functions === undefined || config?.serverless === undefined) return undefined;
    const pools = config.serverless.map((pool) => {
      const id = this.#configured("hosts.serverless.namespace", pool.namespace);
      const namespaceName = (): string => this.#nameOf(id);
      return { token: config.token ?? "", ...pool, place: placeOf(id, pool.pool), namespaceName };
    });
    for (const { place } of pools) this.#placement.allocated(place);
    const wanted = (place: string): boolean => [...this.#waiting].some((waiting) => waiting.place === place);
    return new Allocator({ env, functions, pools, wanted });
  }

  #nameOf(namespace: string): string {
    return this.#parts.catalogue.nameOf(namespace) ?? DEFAULT_NAMESPACE;
  }

  /** Throws `namespace.not_found`. */
  #place(pool: string, namespace: string | undefined): string {
    return placeOf(this.#parts.catalogue.idOf(namespace), pool);
  }
}
