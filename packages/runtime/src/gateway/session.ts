/**
 * SocketSession: one client's socket, from its hello to its end.
 *
 *   hello ──hello message──▶ opening ──actor is there, connect hooks done──▶ open ──▶ closed
 *                                                                          │    ▲
 *                                                              actor sleeps▼    │next activation has it
 *                                                                          asleep
 *
 * Asleep, the socket is all that there is of the client here. A ping is answered without waking anybody; what is for the
 * actor wakes it, and is held, in order, until the next activation takes it.
 *
 * A client may send frames behind its hello. They wait, in order and within limits, until the connection is open, and
 * none that comes later overtakes them: frames are taken in the order of their coming, always. Opening one session
 * delays no other. Once it is open, a ping is answered at once, whatever the actor is doing.
 *
 * What the actor sends has passed its gate. The welcome is gated too: a client that was told that it is connected is
 * connected to an actor whose writes in the connect hooks are durable.
 */
import { assert, type TimerHandle, type TroupeError } from "@troupe/base";
import {
  type ClientFrame,
  closeCodes,
  closeReasons,
  type Encoding,
  encodeServerFrame,
  type Hello,
  limits,
  type Message,
  toWireError,
} from "@troupe/protocol";
import { connectionErrors } from "../errors.ts";
import type { Target } from "../host/actor-host.ts";
import { logFieldsOf, nameOf } from "../host/target.ts";
import type { ConnectionClient } from "../ports/hibernation.ts";
import {
  type ActorConnection,
  type ActorInstance,
  type CloseReason,
  closeCodeOf,
  type EncodedEvent,
} from "../ports/instance.ts";
import type { Link, LinkHandler } from "../ports/transport.ts";
import { Asleep, endOfUnwoken } from "./asleep.ts";
import { MessageOutput, type SocketCall } from "./calls.ts";
import { EarlyMessages, type Sayable } from "./early-messages.ts";
import { errorMessage, refusalMessage } from "./error-message.ts";
import { asError, type Door, type Opened, OpeningBacklog, openConnection } from "./opening.ts";
import { refusedAlone } from "./oversized.ts";
import { paramsOf } from "./params.ts";
import { passing } from "./passing.ts";
import { type ActorFrame, askedBy, boundsOf, readFrame, readHello } from "./read-frame.ts";
import type { GatewayServices } from "./services.ts";
import { type ActionSocket, type AskedAction, SocketActions } from "./socket-actions.ts";
import { SubscriptionReply } from "./subscription-reply.ts";
import type { Reader } from "./unread.ts";

type State =
  | { readonly tag: "hello"; readonly timer: TimerHandle }
  | { readonly tag: "opening"; readonly early: OpeningBacklog }
  | Open
  | Asleep
  | { readonly tag: "closed" };

interface Open extends Opened {
  readonly tag: "open";
}

/** One socket of one client. */
export class SocketSession implements LinkHandler, ActionSocket, Reader, ConnectionClient {
  readonly kind = "connection";
  encoding: Encoding = "json";
  /** Monotonic time of the last message from the client. */
  heardAt: number;
  readonly #services: GatewayServices;
  readonly #link: Link;
  /** Let go once the connect hooks are done. */
  #door: Door | undefined;
  #state: State;
  readonly #actions: SocketActions;
  #welcomed = false;
  readonly #early = new EarlyMessages();
  /** What the gateway's total knows of this client's backlog. */
  #unread = 0;

  constructor(options: Door & { services: GatewayServices; link: Link }) {
    this.#services = options.services;
    this.#actions = new SocketActions(options.services, this);
    this.#link = options.link;
    this.#door = { target: options.target, request: options.request };
    const { env } = options.services;
    this.heardAt = env.clock.monotonic();
    const timer = env.timers.set(() => this.#refuse(connectionErrors.helloTimeout()), limits.helloTimeoutMs, {
      background: true,
    });
    this.#state = { tag: "hello", timer };
    options.link.attach(this);
  }

  message(data: Message): void {
    this.heardAt = this.#services.env.clock.monotonic();
    const state = this.#state;
    switch (state.tag) {
      case "open":
      case "asleep":
        this.#read(state, data);
        return;
      case "hello":
        this.#services.env.timers.clear(state.timer);
        this.#hello(data);
        return;
      case "opening":
        if (!state.early.add(data)) this.#refuse(connectionErrors.openingBacklog());
        return;
      case "closed":
        return;
    }
  }

  closed(): void {
    const state = this.#state;
    this.#end();
    if (state.tag === "open" || state.tag === "asleep") state.connection?.closed();
  }

  hibernate(): boolean {
    const state = this.#state;
    const asleep = state.tag === "open" ? this.#rest(state) : state;
    if (asleep.tag !== "asleep") return false;
    asleep.connection = undefined;
    return true;
  }

  resumed(instance: ActorInstance, connection: ActorConnection): void {
    const asleep = this.#state;
    if (asleep.tag !== "asleep") {
      connection.closed();
      return;
    }
    this.#state = { tag: "open", instance, connection };
    // Another stop may come in between: then the rest is held again.
    for (const [frame, bytes] of asleep.handOver()) this.#take(frame, bytes);
  }

  unknown(): void {
    this.#shut(closeCodes.restart, closeReasons.restarting);
  }

  event(event: EncodedEvent): void {
    if (this.#welcomed) this.post(event.message(this.encoding));
    else this.#sayLater(event);
  }

  post(message: Message): void {
    if (!this.#welcomed) return this.#sayLater({ bytes: message.length, message: () => message });
    this.#link.send(message);
    this.#checkBacklog();
  }

  #sayLater(message: Sayable): void {
    this.#early.add(message);
    this.#checkBacklog();
  }

  look(): number {
    const unread = this.#state.tag === "closed" ? 0 : this.#link.bufferedBytes + this.#early.bytes;
    const more = unread - this.#unread;
    this.#unread = unread;
    this.#services.unread.add(more);
    return unread;
  }

  relieve(): void {
    this.#endConnection(connectionErrors.slowestReader(limits.gatewayUnreadBytes), closeCodes.tryLater);
  }

  putBack(call: SocketCall): boolean {
    const state = this.#state;
    const asleep = state.tag === "open" && this.#rests(state) ? this.#rest(state) : state;
    if (asleep.tag !== "asleep") return false;
    asleep.putBack(call, (cause) => this.#notWoken(asleep, cause));
    return true;
  }

  close(reason: CloseReason): void {
    // Its actor broke. A client may send again what has no answer, if nothing of it was begun.
    const answered = reason.kind === "broken" && this.#actions.inFlight === 0;
    this.#shut(closeCodeOf(reason), answered ? closeReasons.broken : reason.text);
  }

  /** The gateway ends the session: it was silent for too long, or the host stops. */
  endWith(error: TroupeError, code: number): void {
    if (this.#state.tag === "closed") return;
    // Before the welcome nothing but a refusal can be said.
    if (this.#welcomed) this.#link.send(errorMessage(error, this.encoding));
    this.#shut(code, `${error.group}.${error.code}`);
  }

  ask(): void {
    if (this.#state.tag === "asleep" && this.#state.full) this.heardAt = this.#services.env.clock.monotonic();
  }

  /** Nothing was heard for two heartbeats: the other end is gone, and may not know it. */
  silent(): void {
    this.#endConnection(connectionErrors.silent(), closeCodes.policy);
  }

  #hello(data: Message): void {
    let hello: Hello;
    let params: unknown;
    try {
      hello = readHello(this.#services, data, () => nameOf(this.#target(undefined)));
      params = paramsOf(hello.params);
    } catch (cause) {
      this.#refuse(cause);
      return;
    }
    this.encoding = hello.encoding;
    const state: State = { tag: "opening", early: new OpeningBacklog() };
    this.#state = state;
    // The gate broke. A refusal would be for good, but the next activation may welcome this client.
    const failed = ({ group, code }: TroupeError): void =>
      this.#shut(closeCodes.internal, `${group}.${code}`);
    const request = this.#door?.request;
    openConnection(hello, {
      services: this.#services,
      target: this.#target(hello.input),
      sink: this,
      // Who comes without a request is of this process: its connection lasts as long as it wants the actor awake.
      client: request === undefined ? undefined : this,
      request,
      params,
      welcome: (message) => this.#welcome(message),
      failed,
    }).then(
      ({ instance, connection }) => this.#opened(state, instance, connection),
      (cause: unknown) => this.#refuse(passing(cause) ? connectionErrors.actorStopped() : cause),
    );
  }

  /** Until it is open. */
  #target(input: unknown): Target {
    assert(this.#door !== undefined, "an open session knows its actor");
    return this.#door.target(input);
  }

  #welcome(message: Message): void {
    this.#welcomed = true;
    this.post(message);
    for (const early of this.#early.take()) this.post(early.message(this.encoding));
  }

  /** The connection stands: what was sent meanwhile is taken first, in order. */
  #opened(opening: State & { tag: "opening" }, instance: ActorInstance, connection: ActorConnection): void {
    if (this.#state !== opening) {
      // The client went away, or was refused, while the hooks ran.
      connection.closed();
      return;
    }
    this.#door = undefined;
    this.#state = { tag: "open", instance, connection };
    for (const data of opening.early.messages) {
      const now = this.#state;
      if (now.tag !== "open" && now.tag !== "asleep") return;
      this.#read(now, data);
    }
  }

  #read(state: Open | Asleep, data: Message): void {
    let frame: ClientFrame;
    try {
      frame = readFrame({ services: this.#services, encoding: this.encoding, bounds: boundsOf(state) }, data);
    } catch (cause) {
      if (!refusedAlone(cause, data, { connection: state.connection, sink: this }))
        this.#malformed(state, cause);
      return;
    }
    this.#take(frame, data.length);
  }

  #take(frame: ClientFrame, bytes: number): void {
    let state = this.#state;
    switch (frame.kind) {
      case "credit":
        return this.#actions.streams.credit(frame.id, frame.items);
      case "cancel":
        if (state.tag === "asleep") state.cancel(frame.id);
        this.#actions.cancel(frame.id);
        return;
      case "ping":
        this.post(encodeServerFrame({ kind: "pong" }, this.encoding));
        return;
      default:
    }
    if (state.tag === "open" && this.#rests(state)) state = this.#rest(state);
    if (state.tag === "asleep") this.#hold(state, frame, bytes);
    else if (state.tag === "open") this.#give(state, frame);
  }

  /** One that stops takes nothing: what comes now is for the next activation, unless there is none. */
  #rests({ instance, connection }: Open): boolean {
    if (connection.hibernatable !== true || this.#services.host.stopping) return false;
    return !instance.accepting && !instance.doomed;
  }

  #rest({ instance, connection }: Open): Asleep {
    const asleep = new Asleep(this.#services, instance, connection);
    this.#state = asleep;
    return asleep;
  }

  #hold(asleep: Asleep, frame: ClientFrame, bytes: number): void {
    try {
      asleep.hold(this.#link, frame, bytes, (cause) => this.#notWoken(asleep, cause));
    } catch (cause) {
      this.#endConnection(asError(cause, connectionErrors.heldTooMuch), closeCodes.tryLater);
    }
  }

  #notWoken(asleep: Asleep, cause: unknown): void {
    if (this.#state !== asleep) return;
    const { code, reason } = endOfUnwoken(this.#services, asleep, cause);
    this.#shut(code, reason);
  }

  #give(state: Open, frame: ActorFrame): void {
    const { connection } = state;
    if (frame.kind === "subscribe")
      connection.subscribe(frame, new SubscriptionReply(frame.id, this.encoding, this));
    else if (frame.kind === "unsubscribe") connection.unsubscribe(frame.event);
    else this.#action(state, askedBy(frame));
  }

  #action({ instance, connection }: Open, asked: AskedAction): void {
    const refused = this.#actions.start(asked, instance, connection);
    if (refused !== undefined) this.post(errorMessage(refused, this.encoding, asked.id));
  }

  /**
   * A frame that can't be read: its sender can't be trusted with the next one's place. What it sent before is answered
   * first: the error is an output like any other.
   */
  #malformed({ connection }: Open | Asleep, cause: unknown): void {
    const error = asError(cause, connectionErrors.openingBacklog);
    const code = error.group === "message" ? closeCodes.messageTooBig : closeCodes.protocolError;
    const end = (): void => this.#link.close(code, `${error.group}.${error.code}`);
    const post = (message: Message): void => {
      this.#link.send(message);
      end();
    };
    this.#end();
    const message = errorMessage(error, this.encoding);
    if (connection === undefined) post(message);
    else connection.emit(new MessageOutput({ post }, message, end));
    connection?.closed();
  }

  #endConnection(error: TroupeError, code: number): void {
    const state = this.#state;
    this.endWith(error, code);
    if (state.tag === "open" || state.tag === "asleep") state.connection?.closed();
  }

  /** Ends a session that isn't open: nothing that was sent with the hello was acted on. */
  #refuse(cause: unknown): void {
    const state = this.#state;
    if (state.tag === "closed") return;
    if (state.tag === "hello") this.#services.env.timers.clear(state.timer);
    const logId = this.#services.report(cause, {
      connection: "refused",
      ...logFieldsOf(this.#target(undefined)),
    });
    const error = toWireError(cause, false, logId);
    this.#link.send(refusalMessage(error));
    this.#shut(error.retryable ? closeCodes.tryLater : closeCodes.policy, `${error.group}.${error.code}`);
  }

  /** Last in whatever sends: it may end the session. */
  #checkBacklog(): void {
    if (this.look() <= limits.sendBufferBytes) return;
    this.#endConnection(connectionErrors.slowReader(limits.sendBufferBytes), closeCodes.tryLater);
  }

  #shut(code: number, reason: string): void {
    if (this.#state.tag === "closed") return;
    this.#end();
    // A client may send again what has no answer, if nothing of it was begun: frames that are still on their way.
    const unclean = reason === closeReasons.restarting && this.#actions.inFlight > 0;
    this.#link.close(code, unclean ? closeReasons.leftBehind : reason.slice(0, 120));
  }

  #end(): void {
    const state = this.#state;
    if (state.tag === "hello") this.#services.env.timers.clear(state.timer);
    if (state.tag === "asleep") state.end();
    this.#state = { tag: "closed" };
    this.#actions.cancelStreams();
    this.#services.sessions.delete(this);
    this.look();
  }
}
