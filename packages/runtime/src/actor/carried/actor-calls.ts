/**
 * The calls that one carried activation makes to other actors. Its code asks, and the runtime calls: as an output of the
 * actor's, so that a call waits until what was written before it is durable. What its callee says comes back as it would
 * to anybody outside: internals are masked.
 */
import {
  type ActorTarget,
  type ClientTransport,
  ResultStream,
  type TransportCallOptions,
} from "@troupe/client";
import { checkIdempotencyKey, engineLimits } from "@troupe/protocol";
import {
  type ActorCall,
  CallMethod,
  decodeArgs,
  decodePayload,
  encodePayload,
  type PayloadEncoding,
} from "@troupe/protocol/actor/v1";
import { actorErrors } from "../../errors.ts";
import type { ActorRecord } from "../../ports/directory.ts";
import type { CallChain, CallOrigin } from "../../ports/running-call.ts";
import type { Calls } from "./calls.ts";
import { sendOptions } from "./send.ts";

/** How actors whose code runs elsewhere call others. */
export type ActorTransport = (origin: CallOrigin) => ClientTransport;

/** What calls need of their activation. */
export interface ActorCallsOwner {
  readonly request: { readonly record: Pick<ActorRecord, "id" | "name" | "namespace"> };
  readonly calls: Pick<Calls, "isPartOf">;
  readonly encoding: PayloadEncoding;
  /** Settles when everything written so far is durable. */
  durable(): Promise<void>;
}

const methods: ReadonlyMap<CallMethod, "get" | "getOrCreate" | "create"> = new Map([
  [CallMethod.GET, "get"],
  [CallMethod.GET_OR_CREATE, "getOrCreate"],
  [CallMethod.CREATE, "create"],
] as const);

/** Makes one activation's calls. */
export class ActorCalls {
  readonly #owner: ActorCallsOwner;
  /** Undefined: it may call nobody. */
  readonly #transport: ActorTransport | undefined;
  /** Calls that have no answer, by the numbers of their questions. */
  readonly #open = new Map<number, AbortController>();

  constructor(owner: ActorCallsOwner, transport: ActorTransport | undefined) {
    this.#owner = owner;
    this.#transport = transport;
  }

  /**
   * The answer of the actor that was called. Rejects with `actor.not_granted`, `actor.overloaded`, and whatever the call
   * fails with.
   */
  async call(call: ActorCall, ask: number): Promise<Uint8Array> {
    const { name } = this.#owner.request.record;
    if (this.#transport === undefined) throw actorErrors.notGranted(name, "actors", "call other actors");
    if (this.#open.size >= engineLimits.carriedActorCalls)
      throw actorErrors.overloaded("calls of one actor to others", engineLimits.carriedActorCalls);
    // Read before anything is waited for: the bytes are the carrier's own.
    const { encoding } = this.#owner;
    const target = targetOf(call, encoding);
    const params = payloadValue(call.params, encoding);
    const args = call.action === "" ? undefined : decodeArgs(call.args, encoding);
    const send = call.send && sendOptions(call.send);
    const chain = this.#chainOf(call);
    const terms = termsOf(call);
    const { trace } = call;
    const caller = new AbortController();
    const { signal } = caller;
    this.#open.set(ask, caller);
    try {
      await this.#owner.durable();
      const transport = this.#transport({
        actorId: this.#owner.request.record.id,
        namespace: this.#owner.request.record.namespace,
        chain,
        depth: call.depth,
        trace,
      });
      const value = await (args === undefined
        ? transport.resolve(target, { params })
        : send === undefined
          ? transport.action(target, call.action, args, { params, signal, ...terms })
          : transport.send(target, { name: call.action, body: args[0], ...send }, { params, signal }));
      if (value instanceof ResultStream) {
        await value.return();
        throw actorErrors.notCarried("a result of another actor that comes in items");
      }
      return value === undefined ? new Uint8Array(0) : encodePayload(value, encoding, "output");
    } finally {
      this.#open.delete(ask);
    }
  }

  /** Whoever made a call waits for its answer no longer: so the one that was called is told. */
  withdraw(ask: number): void {
    this.#open.get(ask)?.abort();
  }

  /** What the code says of the chain, as far as it can be: entries that called it, and its own. */
  #chainOf({ chain }: ActorCall): CallChain {
    const own = `${this.#owner.request.record.id}.`;
    return chain.filter(({ entry }) => entry.startsWith(own) || this.#owner.calls.isPartOf(entry));
  }
}

/** Throws `protocol.malformed_call`. */
function termsOf({ timeoutMs, idempotencyKey }: ActorCall): TransportCallOptions {
  return {
    timeoutMs: timeoutMs === 0 ? undefined : timeoutMs,
    idempotencyKey: idempotencyKey === "" ? undefined : checkIdempotencyKey(idempotencyKey),
  };
}

function targetOf(call: ActorCall, encoding: PayloadEncoding): ActorTarget {
  const { name, key, actorId } = call;
  if (actorId !== "") return { kind: "id", name, actorId };
  const method = methods.get(call.method);
  if (method === undefined) throw actorErrors.notCarried("a call that says nothing of how to find its actor");
  return { kind: "key", name, key, method, input: payloadValue(call.input, encoding) };
}

function payloadValue(payload: Uint8Array, encoding: PayloadEncoding): unknown {
  return payload.byteLength === 0 ? undefined : decodePayload(payload, encoding);
}
