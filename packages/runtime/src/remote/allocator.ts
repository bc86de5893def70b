/**
 * Allocator: has a platform run functions that are hosts, when actors wait for one.
 *
 *   idle ──an actor waits──▶ asking ──a host of the pool comes──▶ idle
 *                              └── refused, or none came in time ──▶ resting ──▶ asking, while somebody waits
 *
 * One request is under way for each pool. Its answer lasts as long as the function; what ends a host is its own lifespan, not
 * the end of the answer. A function is asked for when nobody else has the actor's code: one that drains is followed by another
 * with the first call of an actor that it had.
 */
import type { Env, TimerHandle } from "@troupe/base";
import { engineLimits } from "@troupe/protocol";
import type { Functions } from "../ports/functions.ts";
import { Seldom } from "../seldom.ts";

/** A pool whose hosts are functions of a platform. */
export interface ServerlessPool {
  readonly pool: string;
  /** The name of a namespace when the engine starts; a rename changes nothing. Default: the default one. */
  readonly namespace?: string;
  /** Where the program answers, without `/start`: `https://my-app.example/api`. */
  readonly url: string;
  /** What the engine shows to the function, which knows it as TROUPE_HOSTS_TOKEN. Default: `hosts.token`. */
  readonly token?: string;
  /** More headers of the request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A host drains after this; choose it half a minute below what the platform allows. Default: 4.5 minutes. */
  readonly lifespanMs?: number;
}

/** A serverless pool that an allocator looks after. */
export interface AllocatedPool extends ServerlessPool {
  /** As placement knows it. */
  readonly place: string;
  /** What its namespace is called by now. */
  readonly namespaceName: () => string;
}

/** What an allocator is made of. */
export interface AllocatorParts {
  readonly env: Pick<Env, "clock" | "timers" | "log" | "random">;
  readonly functions: Functions;
  readonly pools: readonly AllocatedPool[];
  /** True while an actor waits there. */
  readonly wanted: (place: string) => boolean;
}

const FIRST_REST_MS = 250;
const LONGEST_REST_MS = 5_000;

interface Asking {
  readonly pool: AllocatedPool;
  /** Of the request, and of the time that a host has to come. */
  abort: AbortController | undefined;
  timer: TimerHandle | undefined;
  /** Until the next request, should this one fail too. */
  restMs: number;
  state: "idle" | "asking" | "resting" | "closed";
  /** Why the last one failed. */
  reason: string | undefined;
}

/** Asks for hosts. */
export class Allocator {
  readonly #parts: AllocatorParts;
  readonly #pools = new Map<string, Asking>();
  readonly #running = new Set<AbortController>();
  readonly #seldom: Seldom;

  constructor(parts: AllocatorParts) {
    this.#parts = parts;
    this.#seldom = new Seldom(parts.env.clock);
    for (const pool of parts.pools) {
      const still = { abort: undefined, timer: undefined, reason: undefined };
      this.#pools.set(pool.place, { pool, ...still, restMs: FIRST_REST_MS, state: "idle" });
    }
  }

  /** True for a pool whose hosts have to be asked for. */
  has(place: string): boolean {
    return this.#pools.has(place);
  }

  /** An actor waits there. */
  ask(place: string): void {
    const asking = this.#pools.get(place);
    if (asking?.state === "idle") this.#begin(asking);
  }

  /** A host has come. */
  arrived(place: string): void {
    const asking = this.#pools.get(place);
    if (asking === undefined || asking.state === "closed") return;
    this.#clear(asking);
    asking.state = "idle";
    asking.restMs = FIRST_REST_MS;
    asking.reason = undefined;
  }

  /** Why there is no host there, as far as it is known. */
  reason(place: string): string | undefined {
    return this.#pools.get(place)?.reason;
  }

  /** Nobody is asked any more. */
  close(): void {
    for (const asking of this.#pools.values()) {
      this.#clear(asking);
      asking.state = "closed";
    }
    for (const abort of this.#running) abort.abort();
  }

  #begin(asking: Asking): void {
    const abort = new AbortController();
    asking.state = "asking";
    asking.abort = abort;
    asking.timer = this.#parts.env.timers.set(() => {
      abort.abort();
      this.#failed(asking, abort, `no host came within ${engineLimits.hostArriveMs} ms`);
    }, engineLimits.hostArriveMs);
    void this.#run(asking, abort);
  }

  async #run(asking: Asking, abort: AbortController): Promise<void> {
    const {
      url,
      token = "",
      headers,
      namespaceName,
      pool,
      lifespanMs = engineLimits.serverlessLifespanMs,
    } = asking.pool;
    this.#running.add(abort);
    try {
      const run = await this.#parts.functions.start({
        url: `${url.replace(/\/+$/, "")}/start`,
        headers: { ...headers, authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ pool, namespace: namespaceName(), lifespanMs }),
        signal: abort.signal,
      });
      await run.ended;
      this.#failed(asking, abort, "the function ended before its host came");
    } catch (cause) {
      this.#failed(asking, abort, cause instanceof Error ? cause.message : String(cause));
    } finally {
      this.#running.delete(abort);
    }
  }

  /** Of a request whose host has come nothing is expected any more. */
  #failed(asking: Asking, abort: AbortController, reason: string): void {
    if (asking.abort !== abort || asking.state !== "asking") return;
    this.#clear(asking);
    const { env, wanted } = this.#parts;
    const { pool, place } = asking.pool;
    asking.reason = reason;
    asking.state = "resting";
    const more = this.#seldom.take(`${place} ${reason}`);
    if (more !== undefined) env.log.warn("a serverless host couldn't be started", { pool, reason, more });
    const restMs = asking.restMs * (0.5 + env.random() / 2);
    asking.restMs = Math.min(asking.restMs * 2, LONGEST_REST_MS);
    asking.timer = env.timers.set(
      () => {
        asking.state = "idle";
        if (wanted(place)) this.#begin(asking);
      },
      restMs,
      { background: true },
    );
  }

  #clear(asking: Asking): void {
    if (asking.timer !== undefined) this.#parts.env.timers.clear(asking.timer);
    asking.timer = undefined;
    asking.abort = undefined;
  }
}
