/**
 * `c.client()` of a guest's actors: each call is asked of the host, behind what was written before it, and the host makes
 * it when that is durable.
 */
import { assert, type Env } from "@troupe/base";
import {
  type ActorTarget,
  type Client,
  type ClientLink,
  type ClientTransport,
  createClientOver,
  type QueueSend,
  type TransportCallOptions,
} from "@troupe/client";
import { type SendOutcome, wireTimeoutMs } from "@troupe/protocol";
import {
  type ActorCall,
  CallMethod,
  decodePayload,
  encodeArgs,
  encodePayload,
  NO_PAYLOAD,
} from "@troupe/protocol/actor/v1";
import { carriedSend } from "../actor/carried/send.ts";
import type { Activation } from "../actor/local/activation.ts";
import { actorErrors } from "../errors.ts";
import { CallersWait } from "../ports/callers-wait.ts";
import { observed } from "../ports/observed.ts";
import type { RunningCall } from "../ports/running-call.ts";
import { capturedTrace } from "../traced/tracing.ts";
import { GuestStore } from "./guest-store.ts";

const methods = {
  get: CallMethod.GET,
  getOrCreate: CallMethod.GET_OR_CREATE,
  create: CallMethod.CREATE,
} as const;

/**
 * One client for each activation that asks for one; where the platform has no async context one for each call, which
 * would be lost behind the first await.
 */
export class GuestClients {
  readonly #env: Env;
  readonly #made = new WeakMap<Activation | RunningCall, Client>();

  constructor(env: Env) {
    this.#env = env;
  }

  of(caller: Activation, call: RunningCall | undefined): Client {
    const bound = this.#env.asyncContext.follows ? undefined : call;
    const known = this.#made.get(bound ?? caller);
    if (known !== undefined) return known;
    const client = createClientOver(this.#env, new GuestTransport(caller, bound));
    this.#made.set(bound ?? caller, client);
    return client;
  }
}

/** A guest's way to other actors. */
class GuestTransport implements ClientTransport {
  readonly #caller: Activation;
  readonly #call: RunningCall | undefined;

  /** Without `call` it is the one that the running code answers. */
  constructor(caller: Activation, call: RunningCall | undefined) {
    this.#caller = caller;
    this.#call = call;
  }

  async action(
    target: ActorTarget,
    name: string,
    args: readonly unknown[],
    options: TransportCallOptions,
  ): Promise<unknown> {
    return await this.#ask(
      target,
      { action: name, args: encodeArgs(args, "cbor"), send: undefined },
      options,
    );
  }

  async send(target: ActorTarget, message: QueueSend, options: TransportCallOptions): Promise<SendOutcome> {
    const { name, body, ...send } = message;
    const what = { action: name, args: encodeArgs([body], "cbor"), send: carriedSend(send) };
    return (await this.#ask(target, what, options)) as SendOutcome;
  }

  async resolve(target: ActorTarget, options: TransportCallOptions): Promise<string> {
    return String(await this.#ask(target, { action: "", args: NO_PAYLOAD, send: undefined }, options));
  }

  /** A connection would be a stream of frames in both directions, which actor/v1 doesn't have. */
  connect(): Promise<ClientLink> {
    return Promise.reject(
      actorErrors.notCarried("hold a connection to another actor; it can call its actions"),
    );
  }

  observed(promise: Promise<unknown>, what: string): void {
    void observed(promise, this.#caller, `c.client() ${what}`);
  }

  async #ask(
    target: ActorTarget,
    what: Pick<ActorCall, "action" | "args" | "send">,
    options: TransportCallOptions,
  ): Promise<unknown> {
    const { params, signal } = options;
    // Encoded now: what its caller changes behind the call is not part of it.
    const value = {
      ...addressOf(target),
      ...what,
      ...this.#terms(options),
      params: payloadOf(params, "params"),
    };
    const { store, phase, record } = this.#caller;
    assert(store instanceof GuestStore, "a guest's actor has a guest's store");
    if (phase.tag === "stopped") throw actorErrors.stopped(record.id);
    const wait = new CallersWait(this.#call ?? this.#caller.calls.running, signal);
    try {
      await this.#caller.handedOn();
      signal?.throwIfAborted();
      const answer = await store.ask(
        { $case: "actorCall", value },
        { asking: (ask) => wait.onAbandoned(() => store.withdraw(ask)) },
      );
      return answer.value.byteLength === 0 ? undefined : decodePayload(answer.value, "cbor");
    } finally {
      wait.over();
    }
  }

  /** The call's own deadline or that of the call which makes it, its key, and what it is a part of. */
  #terms({ timeoutMs = Infinity, idempotencyKey = "" }: TransportCallOptions): Terms {
    const { env, calls } = this.#caller;
    const { until = Infinity, chain = [], depth = 0, trace: came = "" } = this.#call ?? calls.running ?? {};
    const leftMs = Math.min(timeoutMs, until - env.clock.monotonic());
    // 0 says that there is no limit: what is over has a moment left.
    const wireMs = leftMs === Infinity ? 0 : Math.max(1, wireTimeoutMs(leftMs));
    const { relay } = this.#caller;
    // Without a relay here nothing is between the call that came and the one that goes.
    const trace = relay === undefined ? came : (capturedTrace(relay) ?? "");
    return { timeoutMs: wireMs, idempotencyKey, chain: [...chain], depth, trace };
  }
}

type Terms = Pick<ActorCall, "timeoutMs" | "idempotencyKey" | "chain" | "depth" | "trace">;

function addressOf(target: ActorTarget): Pick<ActorCall, "name" | "key" | "actorId" | "method" | "input"> {
  const { name } = target;
  if (target.kind === "id") {
    return { name, key: [], actorId: target.actorId, method: CallMethod.GET, input: NO_PAYLOAD };
  }
  const { key, method, input } = target;
  return { name, key: [...key], actorId: "", method: methods[method], input: payloadOf(input, "input") };
}

function payloadOf(value: unknown, root: string): Uint8Array {
  return value === undefined ? NO_PAYLOAD : encodePayload(value, "cbor", root);
}
