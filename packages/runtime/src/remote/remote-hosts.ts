/**
 * RemoteHosts: the hosts that are connected to this engine, by pool.
 *
 * An actor that is placed remotely is started on the host with the fewest running instances that has its code. When none
 * is there, the activation waits for one, as long as a caller would.
 */
import type { Env, TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { ActorCarrier } from "../ports/carried.ts";
import type { Link } from "../ports/transport.ts";
import { type HostProtocol, hostProtocol } from "./compatibility.ts";
import { EngineSession } from "./engine-session.ts";
import { remoteErrors } from "./errors.ts";

/** What an engine's hosts are kept with. */
export interface RemoteHostsParts {
  readonly env: Env;
  /** What a host must show; without one no host is taken. */
  readonly token: string | undefined;
  /** For tests of compatibility. */
  readonly protocol?: HostProtocol;
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
  readonly #parts: RemoteHostsParts;
  readonly #sessions = new Set<EngineSession>();
  readonly #waiting = new Set<Waiting>();

  constructor(parts: RemoteHostsParts) {
    this.#parts = parts;
  }

  /** Hosts that were taken and are there. */
  get size(): number {
    return [...this.#sessions].filter((session) => session.open).length;
  }

  /** Somebody who wants to be a host. */
  accept(link: Link): void {
    const session = new EngineSession({
      env: this.#parts.env,
      link,
      protocol: this.#parts.protocol ?? hostProtocol,
      checkToken: (token) => this.#checkToken(token),
      opened: () => this.#opened(),
      ended: (ended) => this.#sessions.delete(ended),
    });
    this.#sessions.add(session);
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
          reject(remoteErrors.noneAvailable(pool, name));
        }, limits.hostWaitMs),
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
      waiting.failed(remoteErrors.noneAvailable(waiting.pool, waiting.name));
    }
    this.#waiting.clear();
    for (const session of [...this.#sessions]) session.close();
  }

  #find(pool: string, name: string): ActorCarrier | undefined {
    const able = [...this.#sessions]
      .filter((session) => session.pool === pool && session.carrier(name) !== undefined)
      .sort((a, b) => a.load - b.load);
    return able[0]?.carrier(name);
  }

  #opened(): void {
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
