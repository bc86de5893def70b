/**
 * The actions of one socket that have no answer yet: how many, and who wants to know when their caller waits no longer.
 */
import type { Clock, TroupeError } from "@troupe/base";
import { type ActionFrame, type ClientFrame, type Encoding, limits, type Message } from "@troupe/protocol";
import { callErrors, connectionErrors } from "../errors.ts";
import type { ActionCall, ActorConnection, ActorInstance } from "../ports/instance.ts";
import type { Abandoned } from "../ports/running-call.ts";
import { type MessageSink, SocketCall, termsNow } from "./calls.ts";
import type { GatewayServices } from "./services.ts";
import { SocketStreams } from "./socket-streams.ts";

/** What a frame asks for: an action, or with `send` to take a message. */
export type AskedAction = Omit<ActionFrame, "kind"> & Pick<ActionCall, "send">;

/** The socket, as its actions use it. */
export interface ActionSocket extends Pick<MessageSink, "encoding" | "post"> {
  /** See {@link MessageSink}. */
  putBack(call: SocketCall): boolean;
}

/** Starts, counts and cancels a socket's actions. */
export class SocketActions implements MessageSink {
  readonly #socket: ActionSocket;
  readonly #services: Pick<GatewayServices, "env" | "report" | "calls">;
  #inFlight = 0;
  /** Those that pend. Most never do. */
  #pending: Map<number, Abandoned> | undefined;
  #streams: SocketStreams | undefined;

  constructor(services: Pick<GatewayServices, "env" | "report" | "calls">, socket: ActionSocket) {
    this.#services = services;
    this.#socket = socket;
  }

  get encoding(): Encoding {
    return this.#socket.encoding;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Returns why it doesn't: `connection.too_many_actions`. */
  start(asked: AskedAction, instance: ActorInstance, connection: ActorConnection): TroupeError | undefined {
    if (this.#inFlight >= limits.connectionActionsInFlight)
      return connectionErrors.tooManyActions(limits.connectionActionsInFlight);
    this.#inFlight += 1;
    // Named one by one: a rest and a spread of each call cost more than all else that is done here.
    const { id, name, args, send, timeoutMs, idempotencyKey } = asked;
    const { env, report, calls: figures } = this.#services;
    const termed = timeoutMs !== undefined || idempotencyKey !== undefined;
    const terms = termed ? termsNow(asked, env.clock) : undefined;
    const waitMs = send?.timeoutMs;
    const waitsUntil = waitMs === undefined ? undefined : env.clock.monotonic() + waitMs;
    const { record: actor } = instance;
    const call = new SocketCall({
      id,
      actor,
      name,
      args,
      connection,
      terms,
      sink: this,
      report,
      figures,
      send,
      waitsUntil,
    });
    instance.action(call);
    call.handed();
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

  post(message: Message): void {
    this.#socket.post(message);
  }

  putBack(call: SocketCall): boolean {
    const back = this.#socket.putBack(call);
    if (back) this.answered(call.id);
    return back;
  }
}

/** The frame of a call that is asked for once more, with what is left of its times. */
export function frameOf(call: SocketCall, clock: Pick<Clock, "monotonic">): ClientFrame {
  const { id, name, args, send, until, idempotencyKey, ticket, waitsUntil } = call;
  const left = (end: number | undefined) =>
    end === undefined ? {} : { timeoutMs: Math.max(0, end - clock.monotonic()) };
  if (send !== undefined) return { kind: "send", id, name, body: args[0], ...send, ...left(waitsUntil) };
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const secret = ticket === undefined ? {} : { ticket };
  return { kind: "action", id, name, args, ...left(until), ...key, ...secret };
}
