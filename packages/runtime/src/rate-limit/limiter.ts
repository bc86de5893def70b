/**
 * Limiter: whether one activation takes a call now, or says when it would.
 *
 * It stands at the door of every kind of actor, before any of its code: a call that is refused has cost its actor nothing.
 * Buckets are in memory and begin full with each activation: an actor that slept since has had its rest. The way of a call
 * by one caller after the other is bounded; of more callers the one that was away longest is forgotten, which is to its
 * favour.
 */
import type { Env, TroupeError } from "@troupe/base";
import { encodeJson, limits, type Message } from "@troupe/protocol";
import type { ActionCall, ActorConnection } from "../ports/instance.ts";
import type { RawPeer, RawRequest, RawSocket, RawSocketRequest } from "../ports/raw.ts";
import { type LimitedBy, rateErrors } from "./errors.ts";
import type { RateLimit, RateLimits } from "./rate-limits.ts";
import { TokenBucket } from "./token-bucket.ts";

/** A socket that says more than it may is closed with this. */
const POLICY = 1008;

/** Who calls, as far as limits go. */
interface Caller {
  readonly key: string;
  readonly connection: TokenBucket | undefined;
}

/** Makes the limiter of an activation; undefined where nothing is limited. */
export type LimiterFor = (own: RateLimits | undefined) => Limiter | undefined;

/** What limits the calls of one activation: the actor's own, and `common` where it has none. */
export function limiterFor(env: Pick<Env, "clock">, common: RateLimits = {}): LimiterFor {
  const none = Object.keys(common).length === 0;
  return (own) => (own === undefined && none ? undefined : new Limiter(env, { ...common, ...own }));
}

/** The limits of one activation's calls. */
export class Limiter {
  readonly #env: Pick<Env, "clock">;
  readonly #limits: RateLimits;
  readonly #actor: TokenBucket | undefined;
  /** The one that was away longest comes first. */
  readonly #callers = new Map<string, TokenBucket>();
  readonly #connected = new WeakMap<ActorConnection, Caller>();

  constructor(env: Pick<Env, "clock">, rateLimits: RateLimits) {
    this.#env = env;
    this.#limits = rateLimits;
    this.#actor = this.#bucket(rateLimits.actor);
  }

  /** Why a call is not taken; nothing when it is, and is counted. */
  refuses({ caller, connection, params }: ActionCall): TroupeError | undefined {
    if (connection === undefined)
      return this.#count({ key: caller ?? this.#keyOf(params), connection: undefined });
    let client = this.#connected.get(connection);
    if (client === undefined) {
      client = this.#client("params" in connection ? connection.params : connection.id);
      this.#connected.set(connection, client);
    }
    return this.#count(client);
  }

  /** Why a client isn't let in. */
  refusesClient(params: unknown): TroupeError | undefined {
    return this.#count({ key: this.#keyOf(params), connection: undefined });
  }

  /** The request, with every message of its socket counted; undefined when it was refused. */
  admit(request: RawRequest): RawRequest | undefined {
    const refusal = this.refusesClient(request.params);
    if (refusal !== undefined) request.refused(refusal);
    else if (request.kind === "socket") return this.#counted(request);
    else return request;
  }

  #counted(request: RawSocketRequest): RawSocketRequest {
    const client = this.#client(request.params);
    const refuses = (): TroupeError | undefined => this.#count(client);
    return {
      kind: "socket",
      ...(request.id === undefined ? {} : { id: request.id }),
      params: request.params,
      request: request.request,
      protocol: request.protocol,
      peer: request.peer,
      client: request.client,
      opened: (socket) => request.opened(new CountedSocket(socket, request.peer, refuses)),
      refused: (cause) => request.refused(cause),
    };
  }

  #client(params: unknown): Caller {
    return { key: this.#keyOf(params), connection: this.#bucket(this.#limits.connection) };
  }

  /** Who shows these parameters. */
  #keyOf(params: unknown): string {
    const by = this.#limits.caller?.by;
    return textOf(by === undefined ? params : by.map((name) => parameterOf(params, name)));
  }

  /** Takes a token of each, if each has one. */
  #count({ key, connection }: Caller): TroupeError | undefined {
    const now = this.#env.clock.monotonic();
    const buckets: [LimitedBy, TokenBucket | undefined][] = [
      ["connection", connection],
      ["caller", this.#callerBucket(key)],
      ["actor", this.#actor],
    ];
    let longest: { readonly by: LimitedBy; readonly waitMs: number } | undefined;
    for (const [by, bucket] of buckets) {
      const waitMs = bucket?.waitMs(now) ?? 0;
      if (waitMs > (longest?.waitMs ?? 0)) longest = { by, waitMs };
    }
    if (longest !== undefined) return rateErrors.limited(longest.by, longest.waitMs);
    for (const [, bucket] of buckets) bucket?.take();
    return undefined;
  }

  #callerBucket(key: string): TokenBucket | undefined {
    const { caller } = this.#limits;
    if (caller === undefined) return undefined;
    const bucket = this.#callers.get(key) ?? new TokenBucket(caller, this.#env.clock.monotonic());
    this.#callers.delete(key);
    this.#callers.set(key, bucket);
    const [oldest] = this.#callers.keys();
    if (this.#callers.size > limits.rateLimitedCallers && oldest !== undefined) this.#callers.delete(oldest);
    return bucket;
  }

  #bucket(limit: RateLimit | undefined): TokenBucket | undefined {
    return limit && new TokenBucket(limit, this.#env.clock.monotonic());
  }
}

/** A raw socket whose messages are counted; the first one too many closes it. */
class CountedSocket implements RawSocket {
  readonly #socket: RawSocket;
  readonly #peer: RawPeer;
  readonly #refuses: () => TroupeError | undefined;
  #refused = false;

  constructor(socket: RawSocket, peer: RawPeer, refuses: () => TroupeError | undefined) {
    this.#socket = socket;
    this.#peer = peer;
    this.#refuses = refuses;
  }

  get maxIncomingBytes(): number {
    return this.#socket.maxIncomingBytes;
  }

  get hibernatable(): boolean {
    return this.#socket.hibernatable === true;
  }

  message(data: Message, index?: number): void {
    if (this.#refused) return;
    if (this.#refuses() === undefined) this.#socket.message(data, index);
    else {
      this.#refused = true;
      this.#peer.close(POLICY, "actor.rate_limited");
    }
  }

  closed(code: number, reason: string): void {
    this.#socket.closed(code, reason);
  }
}

function parameterOf(params: unknown, name: string): unknown {
  if (typeof params !== "object" || params === null || !Object.hasOwn(params, name)) return null;
  return Reflect.get(params, name) ?? null;
}

function textOf(params: unknown): string {
  return params === undefined ? "" : encodeJson(params, "params");
}
