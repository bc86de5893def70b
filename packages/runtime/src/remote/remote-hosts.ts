/**
 * RemoteHosts: the hosts that are connected to this engine, by pool.
 *
 * An actor that is placed remotely is started on the host with the fewest running instances that has its code. When none
 * is there, the activation waits for one, as long as a caller would.
 */
import type { Env, TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { HostHello } from "@troupe/protocol/host/v1";
import type { ActorCarrier } from "../ports/carried.ts";
import type { Link } from "../ports/transport.ts";
import { type HostProtocol, hostProtocol } from "./compatibility.ts";
import { EngineSession } from "./engine-session.ts";
import { remoteErrors } from "./errors.ts";
import { OpeningLink } from "./opening-link.ts";
import { Placement, type WaitState } from "./placement.ts";

/** What an engine's hosts are kept with. */
export interface RemoteHostsParts {
  readonly env: Env;
  /** What a host must show; without one no host is taken. */
  readonly token: string | undefined;
  /** For tests of compatibility. */
  readonly protocol?: HostProtocol;
}

/** A remote host, as its engine sees it. */
export interface RemoteHostSummary {
  readonly hostId: string;
  readonly pool: string;
  readonly programVersion: number;
  /** `away`: its connection is lost, and it may come back. `draining`: its actors move to other hosts. */
  readonly state: "open" | "away" | "draining" | "over";
  readonly instances: number;
  /** The names of the actors that it has. */
  readonly actors: readonly string[];
}

/** Which hosts are drained. What is left out doesn't matter. */
export interface DrainedHosts {
  readonly pool?: string;
  readonly hostId?: string;
  readonly programVersion?: number;
  /** Hosts with a version before this one. */
  readonly olderThan?: number;
}

interface Waiting {
  readonly pool: string;
  readonly name: string;
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
  readonly #opening = new Set<OpeningLink>();
  readonly #sessions = new Map<string, EngineSession>();
  readonly #placement = new Placement();
  readonly #waiting = new Set<Waiting>();

  constructor(parts: RemoteHostsParts) {
    this.#parts = parts;
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
      checkToken: (token) => this.#checkToken(token),
      taken: (hello, version) => this.#taken(link, hello, version),
      ended: (ended) => this.#opening.delete(ended),
    });
    this.#opening.add(opening);
  }

  /** The hosts that were taken, and what they have. */
  list(): readonly RemoteHostSummary[] {
    return [...this.#sessions.values()].map(({ id, pool, program, state, load, actors }) => ({
      ...{ hostId: id, pool, programVersion: program, state, instances: load, actors },
    }));
  }

  /** Actors that wait for a host. */
  waiting(): readonly { readonly pool: string; readonly name: string; readonly state: WaitState }[] {
    return [...this.#waiting].map(({ pool, name }) => ({ pool, name, state: this.#placement.stateOf(pool) }));
  }

  /**
   * Moves the actors of hosts to others: those of a pool, of one version of the program, of versions before one, or one host.
   * Settles when nothing runs on them, and they were told that they may stop; what hasn't left in `withinMs` (default: 30 s)
   * is lost. Without another host that has their actors, callers wait for one.
   */
  async drain(which: DrainedHosts, withinMs: number = limits.hostDrainMs): Promise<void> {
    const chosen = [...this.#sessions.values()].filter(
      ({ id, pool, program }) =>
        pool === (which.pool ?? pool) &&
        id === (which.hostId ?? id) &&
        program === (which.programVersion ?? program) &&
        program < (which.olderThan ?? Infinity),
    );
    await Promise.all(chosen.map((session) => session.drain(withinMs)));
  }

  /** No new actors on hosts of this version of the program, now or later: the way back from one that is bad. */
  withdraw(pool: string, programVersion: number): void {
    this.#placement.withdraw(pool, programVersion);
  }

  /** Takes a `withdraw` back. */
  restore(pool: string, programVersion: number): void {
    this.#placement.restore(pool, programVersion);
    this.#changed();
  }

  /** A host's way to an actor. Rejects with `host.none_available` when no host has come in time. */
  async carrier(pool: string, name: string): Promise<ActorCarrier> {
    const found = this.#find(pool, name);
    if (found !== undefined) return found;
    return await new Promise((resolve, reject) => {
      const waiting: Waiting = {
        pool,
        name,
        timer: this.#parts.env.timers.set(() => {
          this.#waiting.delete(waiting);
          reject(remoteErrors.noneAvailable(pool, name, this.#placement.stateOf(pool)));
        }, this.#placement.waitMs(pool)),
        found: resolve,
        failed: reject,
      };
      this.#waiting.add(waiting);
    });
  }

  /** No host is used any more. */
  close(): void {
    for (const waiting of this.#waiting) {
      this.#parts.env.timers.clear(waiting.timer);
      waiting.failed(
        remoteErrors.noneAvailable(waiting.pool, waiting.name, this.#placement.stateOf(waiting.pool)),
      );
    }
    this.#waiting.clear();
    for (const opening of [...this.#opening]) opening.close();
    for (const session of [...this.#sessions.values()]) session.close();
  }

  /** A host that is known goes on where it was; any other one is new. */
  #taken(link: Link, hello: HostHello, version: number): void {
    const known = hello.resume && this.#sessions.get(hello.resume.hostId);
    if (hello.resume !== undefined && known?.resume(hello.resume, link, version) === true)
      return this.onResumed();
    const session = new EngineSession({
      env: this.#parts.env,
      ...{ link, hello, version, protocol: this.#protocol },
      changed: () => this.#changed(),
      ended: (ended) => this.#sessions.delete(ended.id),
    });
    this.#sessions.set(session.id, session);
    this.#placement.seen(session);
    this.#changed();
  }

  #find(pool: string, name: string): ActorCarrier | undefined {
    return this.#placement.best(this.#sessions.values(), pool, name)?.carrier(name);
  }

  #changed(): void {
    for (const waiting of this.#waiting) {
      const found = this.#find(waiting.pool, waiting.name);
      if (found === undefined) continue;
      this.#waiting.delete(waiting);
      this.#parts.env.timers.clear(waiting.timer);
      waiting.found(found);
    }
  }

  #checkToken(token: string): void {
    const expected = this.#parts.token;
    const text = new TextEncoder();
    const same =
      expected !== undefined &&
      this.#parts.env.crypto.timingSafeEqual(text.encode(expected), text.encode(token));
    if (!same) throw remoteErrors.wrongToken();
  }
}
