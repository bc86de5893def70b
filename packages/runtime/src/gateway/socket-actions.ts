/**
 * The actions of one socket that have no answer yet: how many, and who wants to know when their caller waits no longer.
 */
import type { TroupeError } from "@troupe/base";
import { type ActionFrame, limits } from "@troupe/protocol";
import { callErrors, connectionErrors } from "../errors.ts";
import type { ActionCall, ActorConnection, ActorInstance } from "../ports/instance.ts";
import type { Abandoned } from "../ports/running-call.ts";
import { type MessageSink, SocketCall, termsNow } from "./calls.ts";
import type { GatewayServices } from "./services.ts";
import { SocketStreams } from "./socket-streams.ts";

/** What a frame asks for: an action, or with `send` to take a message. */
export type AskedAction = Omit<ActionFrame, "kind"> & Pick<ActionCall, "send">;

/** Starts, counts and cancels a socket's actions. */
export class SocketActions {
  readonly #services: Pick<GatewayServices, "env" | "report">;
  #inFlight = 0;
  /** Those that pend. Most never do. */
  #pending: Map<number, Abandoned> | undefined;
  #streams: SocketStreams | undefined;

  constructor(services: Pick<GatewayServices, "env" | "report">) {
    this.#services = services;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Returns why it doesn't: `connection.too_many_actions`. */
  start(
    asked: AskedAction,
    to: {
      readonly instance: ActorInstance;
      readonly connection: ActorConnection;
      readonly sink: MessageSink;
    },
  ): TroupeError | undefined {
    if (this.#inFlight >= limits.connectionActionsInFlight)
      return connectionErrors.tooManyActions(limits.connectionActionsInFlight);
    this.#inFlight += 1;
    const { timeoutMs, idempotencyKey, ...call } = asked;
    const { env, report } = this.#services;
    const termed = timeoutMs !== undefined || idempotencyKey !== undefined;
    const terms = termed ? termsNow(asked, env.clock) : undefined;
    const { instance, connection, sink } = to;
    instance.action(new SocketCall({ ...call, actor: instance.record, connection, terms, sink, report }));
    return undefined;
  }

  pends(id: number, listener: Abandoned): void {
    this.#pending ??= new Map();
    this.#pending.set(id, listener);
  }

  /** Results that come in items. */
  get streams(): SocketStreams {
    this.#streams ??= new SocketStreams();
    return this.#streams;
  }

  /** The socket is gone, and nobody takes items any more. */
  cancelStreams(): void {
    this.#streams?.cancelAll();
  }

  /** The caller of an action waits no longer. The action's answer comes all the same, but for one that comes in items. */
  cancel(id: number): void {
    if (this.#streams?.cancel(id) === true) {
      this.answered(id);
      return;
    }
    const listener = this.#pending?.get(id);
    this.#pending?.delete(id);
    listener?.(callErrors.aborted(undefined));
  }

  answered(id: number): void {
    this.#inFlight -= 1;
    this.#pending?.delete(id);
  }
}
