/**
 * What a host says of the calls of one guest's actor, beside what they call: how long they are waited for, and that they
 * aren't any more.
 */
import type { Env } from "@troupe/base";
import type { CarriedCall } from "@troupe/protocol/actor/v1";
import { callErrors } from "../errors.ts";
import type { ActionCall } from "../ports/instance.ts";
import type { Abandoned } from "../ports/running-call.ts";

type Parts = Pick<ActionCall, "args" | "connection" | "params" | "send" | "reply"> & {
  readonly began: () => void;
};

/** Calls of one guest's actor, by the host's numbers. */
export class GuestCalls {
  readonly #env: Pick<Env, "clock">;
  /** Those that pend. */
  readonly #pending = new Map<number, Abandoned>();

  readonly #actionTimeoutMs: number;

  constructor(env: Pick<Env, "clock">, actionTimeoutMs: number) {
    this.#env = env;
    this.#actionTimeoutMs = actionTimeoutMs;
  }

  /** A call with all that it brings along. */
  actionOf(said: CarriedCall, { args, connection, params, send, reply, began }: Parts): ActionCall {
    const { call, timeoutMs, idempotencyKey, ticket, caller, chain, depth, trace } = said;
    return {
      name: said.action,
      args,
      connection,
      params,
      send,
      reply,
      began,
      // The actor's own limit is kept here as well, under its own name.
      until:
        timeoutMs === 0 || timeoutMs >= this.#actionTimeoutMs
          ? undefined
          : this.#env.clock.monotonic() + timeoutMs,
      idempotencyKey: idempotencyKey === "" ? undefined : idempotencyKey,
      ticket,
      caller: caller === "" ? undefined : caller,
      chain: chain.length === 0 ? undefined : chain,
      depth,
      trace: trace === "" ? undefined : trace,
      onAbandoned: (listener) => void this.#pending.set(call, listener),
    };
  }

  /** Nobody waits for it any more. */
  cancel(call: number): void {
    const listener = this.#pending.get(call);
    this.#pending.delete(call);
    listener?.(callErrors.aborted(undefined));
  }

  answered(call: number): void {
    this.#pending.delete(call);
  }
}
