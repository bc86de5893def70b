/**
 * Entries: one at a time, for an actor with `concurrency: "serial"`.
 *
 *   asked ──nobody is in──▶ in ──end──▶ (the next one)
 *     │                      ▲
 *     ├── a part of the one that is in: beside it
 *     └── waiting, in the order of their coming ──refused: full, late, abandoned, a circle, the activation ends
 *
 * An entry is an action, a scheduled call, a message of a raw socket, the connect hooks of one client, or what
 * `c.exclusive` runs. It is in until its code has ended, also when its caller has been told that it took too long: else
 * there would be two. Hooks of the lifecycle are no entries: nothing else runs beside them.
 *
 * Reentrant: a call whose chain has the entry that is in was made by it, through however many actors, and is let in beside
 * it: to wait would be to wait for itself. The actor is free when all of them have ended.
 *
 * Who waits is let in by a promise of its own, so that nothing of the one that has ended comes along.
 */
import type { TimerHandle, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { abortOf, actorErrors, callErrors, entryErrors } from "../../errors.ts";
import type { Abandoned, CallChain } from "../../ports/running-call.ts";
import type { Activation } from "./activation.ts";
import type { SerialActor, Wait, WaitGraph } from "./wait-graph.ts";

/** Somebody who wants to be let in. */
export interface EntryRequest {
  readonly chain?: CallChain | undefined;
  /** When the caller gives up, monotonic. */
  readonly until?: number | undefined;
  /** The actor's own: it waits as long as it takes, and always has a place. */
  readonly own?: boolean;
  onAbandoned?(listener: Abandoned): void;
}

/** Somebody who is in. */
export interface Entry {
  /** With its own link. */
  readonly chain: CallChain;
  /** Once. */
  end(): void;
}

const NOBODY: CallChain = Object.freeze([]);

/** Who is in, and who waits, at one activation. */
export class Entries implements SerialActor {
  readonly label: string;
  readonly #activation: Activation;
  readonly #graph: WaitGraph;
  readonly #waiting = new Set<Waiting>();
  #inside: string | undefined;
  /** The entry that is in, and those that are in beside it. */
  #count = 0;
  #last = 0;

  constructor(activation: Activation, graph: WaitGraph) {
    this.#activation = activation;
    this.#graph = graph;
    const { name, key } = activation.record;
    this.label = [name, ...key].join("/");
  }

  get inside(): string | undefined {
    return this.#inside;
  }

  /**
   * Lets somebody in, at once or when its turn has come. Throws, or rejects with, `actor.serial_queue_full`,
   * `actor.serial_timed_out`, `actor.deadline_exceeded`, `actor.deadlock`, `actor.aborted`, `actor.stopping`: then nothing ran.
   */
  enter(request: EntryRequest): Entry | Promise<Entry> {
    const { chain = NOBODY } = request;
    if (chain.length >= limits.callChainLength) throw entryErrors.chainTooLong(limits.callChainLength);
    const beside = chain.some(({ entry }) => entry === this.#inside);
    if (beside || (this.#inside === undefined && this.#waiting.size === 0)) return this.#let(chain);
    if (this.#waiting.size >= limits.serialEntries && request.own !== true)
      throw entryErrors.queueFull(limits.serialEntries);
    const wait: Wait = { chain, actor: this };
    const circle = this.#graph.circle(wait);
    if (circle !== undefined) throw entryErrors.deadlock([chain.at(-1)?.actor ?? "", ...circle]);
    return this.#wait(request, wait);
  }

  /** The activation has ended: who still waits was not let in. */
  close(): void {
    for (const waiting of [...this.#waiting]) waiting.refuse(actorErrors.stopping());
  }

  async #wait(request: EntryRequest, wait: Wait): Promise<Entry> {
    const waiting = new Waiting(this.#activation, request);
    this.#waiting.add(waiting);
    this.#graph.add(wait);
    try {
      return await waiting.entry;
    } finally {
      this.#waiting.delete(waiting);
      this.#graph.remove(wait);
    }
  }

  #let(chain: CallChain): Entry {
    const { record, generation } = this.#activation;
    this.#last += 1;
    const entry = `${record.id}.${generation}.${this.#last}`;
    this.#inside ??= entry;
    this.#count += 1;
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      this.#ended();
    };
    return { chain: [...chain, { entry, actor: this.label }], end };
  }

  #ended(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#inside = undefined;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next.let(this.#let(next.chain));
  }
}

/** Somebody who waits. */
class Waiting {
  readonly entry: Promise<Entry>;
  readonly chain: CallChain;
  readonly #settle = Promise.withResolvers<Entry>();
  readonly #activation: Activation;
  readonly #timer: TimerHandle | undefined;

  constructor(activation: Activation, request: EntryRequest) {
    this.#activation = activation;
    this.entry = this.#settle.promise;
    this.chain = request.chain ?? NOBODY;
    this.#timer = request.own === true ? undefined : this.#arm(request.until);
    request.onAbandoned?.((reason) => this.refuse(abortOf(reason)));
  }

  let(entry: Entry): void {
    this.#disarm();
    this.#settle.resolve(entry);
  }

  refuse(error: TroupeError): void {
    this.#disarm();
    this.#settle.reject(error);
  }

  /** Nobody waits longer for a turn than a turn may take. */
  #arm(until: number | undefined): TimerHandle | undefined {
    const { env, descriptor } = this.#activation;
    const mostMs = descriptor.options.actionTimeout;
    const leftMs = until === undefined ? Infinity : until - env.clock.monotonic();
    if (leftMs === Infinity && mostMs === Infinity) return undefined;
    const late = leftMs < mostMs ? callErrors.deadlineExceeded : () => entryErrors.timedOut(mostMs);
    return env.timers.set(() => this.refuse(late()), Math.max(0, Math.min(leftMs, mostMs)), {
      background: true,
    });
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#activation.env.timers.clear(this.#timer);
  }
}
