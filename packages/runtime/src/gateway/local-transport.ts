/**
 * How actors call actors of the same registry: straight to the host, not through HTTP.
 *
 * A call that leaves an actor is an output like any other: it waits until what its actor wrote is durable. Values are
 * copied on the way in and on the way out, so that no two actors ever share an object.
 */

import type { Env } from "@troupe/base";
import {
  type ActorTarget,
  actorUrl,
  type ClientLink,
  type ClientTransport,
  clientErrors,
  type QueueSend,
  type RawFetchOptions,
  type RawTransport,
  ResultStream,
  rawAddress,
  type TransportCallOptions,
} from "@troupe/client";
import {
  cloneValue,
  encodeJson,
  limits,
  PARAMS_HEADER,
  type SendOptions,
  type SendOutcome,
} from "@troupe/protocol";
import { actorErrors } from "../errors.ts";
import type { ActorHost, Target } from "../host/actor-host.ts";
import { unstarted } from "../host/failed-starts.ts";
import { CallersWait } from "../ports/callers-wait.ts";
import type { ActorInstance } from "../ports/instance.ts";
import { memoryLinks } from "../ports/memory/transport.ts";
import type { Namespaces } from "../ports/namespaces.ts";
import { observed } from "../ports/observed.ts";
import type { RunningCall } from "../ports/running-call.ts";
import { ActorLink, type CallingActor } from "./actor-link.ts";
import { Breather } from "./breather.ts";
import { outcomeOf } from "./call-figures.ts";
import { exchangeFetch } from "./fetch-exchange.ts";
import type { Gateway } from "./gateway.ts";
import { loaded } from "./loaded.ts";
import { doorOf, LocalCall, type LocalTerms } from "./local-call.ts";
import { localError } from "./local-error.ts";
import { paramsOf } from "./params.ts";
import type { ActorRoute } from "./route.ts";

/** What the transport is made of. */
export interface LocalTransportParts {
  readonly env: Env;
  readonly host: ActorHost;
  readonly gateway: Gateway;
  readonly namespaces: Namespaces;
  /** The id of the namespace of whoever isn't an actor of this process; default: the default one. */
  readonly namespace?: string | undefined;
  /** The actor whose code runs; none outside of actors. */
  readonly caller: () => CallingActor | undefined;
  /** The call that it answers; none outside of calls. */
  readonly call: () => RunningCall | undefined;
  /** Who isn't an actor connects as one from outside does: its connections stay while their actors sleep. */
  readonly hibernates?: boolean | undefined;
  /** The actor that calls, where its code runs elsewhere. */
  readonly actorId?: string;
}

/** A client's way to the actors of its own process. */
export class LocalTransport implements ClientTransport {
  readonly raw: RawTransport;
  readonly #parts: LocalTransportParts;
  readonly #breather: Breather;

  constructor(parts: LocalTransportParts) {
    this.#parts = parts;
    this.#breather = new Breather(parts.env);
    this.raw = {
      webSocket: () => {
        throw clientErrors.rawUnsupported("webSocket()");
      },
      address: () => {
        throw clientErrors.rawUnsupported("getGatewayUrl()");
      },
      fetch: (target, options) => this.#fetch(target, options),
    };
  }

  async action(
    target: ActorTarget,
    name: string,
    args: readonly unknown[],
    options: TransportCallOptions,
  ): Promise<unknown> {
    return await this.#call(target, { name, args: cloneValue(args, "args") }, options);
  }

  async send(target: ActorTarget, message: QueueSend, options: TransportCallOptions): Promise<SendOutcome> {
    const { name, body, ...send } = message;
    const outcome = await this.#call(target, { name, args: [cloneValue(body, "body")], send }, options);
    return outcome as SendOutcome;
  }

  observed(promise: Promise<unknown>, what: string): void {
    const caller = this.#parts.caller();
    if (caller !== undefined) void observed(promise, caller, `c.client() ${what}`);
  }

  async #call(
    target: ActorTarget,
    call: { readonly name: string; readonly args: readonly unknown[]; readonly send?: SendOptions },
    options: TransportCallOptions,
  ): Promise<unknown> {
    const params = cloneValue(paramsOf(options.params), "params");
    const wanted = this.#target(target);
    const caller = this.#parts.caller();
    const wait = new CallersWait(this.#parts.call(), options.signal);
    const terms = this.#terms(options, this.#parts.actorId ?? caller?.record.id, wait);
    let result: unknown;
    try {
      await caller?.departure();
      const figures = this.#parts.gateway.calls;
      const came = figures.now();
      const instance = await this.#load(wanted, (cause) => {
        if (call.send === undefined) figures.ended(unstarted(cause), doorOf(terms), outcomeOf(cause), came);
      });
      result = await new Promise((resolve, reject) => {
        const { afterTurn } = this.#parts.env;
        const { record: actor } = instance;
        const counted = { actor, figures, came };
        instance.action(new LocalCall({ ...call, counted, params, terms, resolve, reject, afterTurn }));
      });
    } finally {
      if (result instanceof ResultStream) result.onEnd(() => wait.over());
      else wait.over();
      const breath = this.#breather.next();
      if (breath !== undefined) await breath;
    }
    if (result instanceof ResultStream && caller !== undefined) endWith(caller, result);
    return result;
  }

  /**
   * What goes with a call: its own deadline or that of the call which makes it, whichever is earlier; and when either is
   * abandoned, so is it. The answer is waited for all the same, unless the caller's own signal says otherwise.
   */
  #terms(
    { timeoutMs, idempotencyKey, ticket }: TransportCallOptions,
    actorId: string | undefined,
    wait: CallersWait,
  ): LocalTerms {
    const call = this.#parts.call();
    const depth = (call?.depth ?? 0) + 1;
    if (depth > limits.callDepth) throw actorErrors.callsTooDeep(limits.callDepth);
    const own = timeoutMs === undefined ? Infinity : this.#parts.env.clock.monotonic() + timeoutMs;
    const until = Math.min(own, call?.until ?? Infinity);
    return {
      until: until === Infinity ? undefined : until,
      idempotencyKey,
      ticket,
      caller: actorId === undefined ? undefined : `actor:${actorId}`,
      chain: call?.chain,
      depth,
      onAbandoned: (listener) => wait.onAbandoned(listener),
    };
  }

  async reload(target: ActorTarget): Promise<void> {
    await this.#parts.caller()?.departure();
    await this.#parts.host.reload(this.#target(target)).catch((cause: unknown) => {
      throw localError(cause);
    });
  }

  async resolve(target: ActorTarget): Promise<string> {
    const wanted = this.#target(target);
    await this.#parts.caller()?.departure();
    const instance = await this.#load(wanted);
    try {
      await instance.settled();
    } catch (cause) {
      throw localError(cause);
    }
    return instance.record.id;
  }

  async connect(target: ActorTarget): Promise<ClientLink> {
    const caller = this.#parts.caller();
    // An activation that has ended connects no more: its client gives up for good.
    caller?.atEnd(() => {})();
    await caller?.departure();
    const [near, far] = memoryLinks(this.#parts.env);
    const outside = caller === undefined && this.#parts.hibernates === true;
    const request = outside
      ? () => new Request(actorUrl(ORIGIN, target, "connect", this.#namespace()))
      : undefined;
    this.#parts.gateway.socket(far, { kind: "connect", actor: this.#route(target) }, request);
    return caller === undefined ? near : new ActorLink(near, caller);
  }

  /** A raw request goes straight to its actor: bodies stream from one to the other, in memory. */
  async #fetch(target: ActorTarget, { path, init, params }: RawFetchOptions): Promise<Response> {
    const headers = new Headers(init.headers);
    if (params !== undefined) headers.set(PARAMS_HEADER, encodeJson(paramsOf(params), "params"));
    const url = rawAddress(target, path, this.#namespace());
    const plain = new Request(ORIGIN + url, { ...init, headers });
    const caller = this.#parts.caller();
    const request = caller === undefined || plain.body === null ? plain : gated(plain, plain.body, caller);
    await caller?.departure();
    const header = (name: string): string | undefined => request.headers.get(name) ?? undefined;
    return await exchangeFetch(this.#parts.gateway, request, { header, inside: true });
  }

  async #load(wanted: Target, failed?: (cause: unknown) => void): Promise<ActorInstance> {
    try {
      const { host } = this.#parts;
      return await loaded(host, wanted, host.load(wanted));
    } catch (cause) {
      failed?.(cause);
      throw localError(cause);
    }
  }

  #route(target: ActorTarget): ActorRoute {
    const namespace = this.#namespace();
    if (target.kind === "id") return { kind: "id", id: target.actorId, namespace };
    return { kind: "key", name: target.name, key: [...target.key], method: target.method, namespace };
  }

  /** An actor sees its own namespace alone. */
  #namespace(): string | undefined {
    const { namespaces, namespace, caller } = this.#parts;
    const id = caller()?.record.namespace ?? namespace;
    return id === undefined ? undefined : namespaces.nameOf(id);
  }

  #target(target: ActorTarget): Target {
    return this.#parts.gateway.target(
      this.#route(target),
      target.kind === "key" ? cloneValue(target.input, "input") : undefined,
    );
  }
}

/** What comes in items for an actor ends with the activation that asked for it. */
function endWith(caller: CallingActor, stream: ResultStream): void {
  try {
    stream.onEnd(caller.atEnd(() => void stream.return()));
  } catch {
    // It has ended already.
    void stream.return();
  }
}

/** A body that an actor sends as it makes it: each piece waits for what was written before it was made. */
function gated(request: Request, body: ReadableStream<Uint8Array>, caller: CallingActor): Request {
  const reader = body.getReader();
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { value } = await caller.enter(() => reader.read());
        await caller.enter(() => caller.departure());
        if (value === undefined) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  const { url, method, headers, signal } = request;
  const streaming = { method, headers, signal, body: stream, duplex: "half" };
  return new Request(url, streaming);
}

/** What an actor sees as the origin of another one's request. */
const ORIGIN = "http://actor";
