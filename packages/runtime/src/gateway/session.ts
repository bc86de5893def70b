/**
 * SocketSession: one client's socket, from its hello to its end.
 *
 *   hello ──hello message──▶ opening ──actor is there, connect hooks done──▶ open ──▶ closed
 *
 * A client may send frames behind its hello. They wait, in order and within limits, until the connection is open, and
 * none that comes later overtakes them: frames are taken in the order of their coming, always. Opening one session
 * delays no other. Once it is open, a ping is answered at once, whatever the actor is doing.
 *
 * What the actor sends has passed its gate. The welcome is gated too: a client that was told that it is connected is
 * connected to an actor whose writes in the connect hooks are durable.
 */
import type { TimerHandle } from "@troupe/base";
import { TroupeError } from "@troupe/base";
import {
  bytesPast,
  type ClientFrame,
  closeCodes,
  closeReasons,
  decodeClientFrame,
  decodeHello,
  type Encoding,
  encodeServerFrame,
  encodeWelcome,
  type Hello,
  limits,
  type Message,
  negotiateVersion,
  toWireError,
} from "@troupe/protocol";
import { connectionErrors, messageErrors } from "../errors.ts";
import type { Target } from "../host/actor-host.ts";
import { logFieldsOf } from "../host/target.ts";
import {
  type ActorConnection,
  type ActorInstance,
  type CloseReason,
  type ConnectionSink,
  closeCodeOf,
  type EncodedEvent,
} from "../ports/instance.ts";
import type { Abandoned } from "../ports/running-call.ts";
import type { Link, LinkHandler } from "../ports/transport.ts";
import { MessageOutput, type MessageSink } from "./calls.ts";
import { errorMessage, refusalMessage } from "./error-message.ts";
import { paramsOf } from "./params.ts";
import { passing } from "./passing.ts";
import type { GatewayServices } from "./services.ts";
import { type AskedAction, SocketActions } from "./socket-actions.ts";
import type { SocketStreams } from "./socket-streams.ts";
import { decodeTimed } from "./stall.ts";
import { SubscriptionReply } from "./subscription-reply.ts";
import type { Reader } from "./unread.ts";

type State =
  | { readonly tag: "hello"; readonly timer: TimerHandle }
  | { readonly tag: "opening"; readonly backlog: Message[]; bytes: number }
  | { readonly tag: "open"; readonly instance: ActorInstance; readonly connection: ActorConnection }
  | { readonly tag: "closed" };

/** One socket of one client. */
export class SocketSession implements LinkHandler, ConnectionSink, MessageSink, Reader {
  encoding: Encoding = "json";
  /** Monotonic time of the last message from the client. */
  heardAt: number;
  readonly #services: GatewayServices;
  readonly #link: Link;
  readonly #target: (input: unknown) => Target;
  readonly #request: (() => Request) | undefined;
  #state: State;
  readonly #actions: SocketActions;
  #welcomed = false;
  /** Events sent in `onConnect`: the welcome is the first message all the same. */
  #early: EncodedEvent[] = [];
  #earlyBytes = 0;
  /** What the gateway's total knows of this client's backlog. */
  #unread = 0;

  constructor(options: {
    services: GatewayServices;
    link: Link;
    /** The actor, given the input that the hello brings. */
    target: (input: unknown) => Target;
    request: (() => Request) | undefined;
  }) {
    this.#services = options.services;
    this.#actions = new SocketActions(options.services);
    this.#link = options.link;
    this.#target = options.target;
    this.#request = options.request;
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
        this.#frame(state, data);
        return;
      case "hello":
        this.#services.env.timers.clear(state.timer);
        this.#hello(data);
        return;
      case "opening":
        state.bytes += data.length;
        if (state.backlog.length >= limits.openingFrames || state.bytes > limits.openingBytes) {
          this.#refuse(connectionErrors.openingBacklog());
          return;
        }
        state.backlog.push(data);
        return;
      case "closed":
        return;
    }
  }

  closed(): void {
    const state = this.#state;
    this.#end();
    if (state.tag === "open") state.connection.closed();
  }

  event(event: EncodedEvent): void {
    if (this.#welcomed) this.post(event.message(this.encoding));
    else this.#keepEarly(event);
  }

  post(message: Message): void {
    this.#link.send(message);
    this.#checkBacklog();
  }

  look(): number {
    const unread = this.#state.tag === "closed" ? 0 : this.#link.bufferedBytes + this.#earlyBytes;
    const more = unread - this.#unread;
    this.#unread = unread;
    this.#services.unread.add(more);
    return unread;
  }

  relieve(): void {
    this.#endConnection(connectionErrors.slowestReader(limits.gatewayUnreadBytes), closeCodes.tryLater);
  }

  get streams(): SocketStreams {
    return this.#actions.streams;
  }

  answered(id: number): void {
    this.#actions.answered(id);
  }

  pends(id: number, listener: Abandoned): void {
    this.#actions.pends(id, listener);
  }

  close(reason: CloseReason): void {
    this.#shut(closeCodeOf(reason), reason.text);
  }

  /** The gateway ends the session: it was silent for too long, or the host stops. */
  endWith(error: TroupeError, code: number): void {
    if (this.#state.tag === "closed") return;
    // Before the welcome nothing but a refusal can be said.
    if (this.#welcomed) this.#link.send(errorMessage(error, this.encoding));
    this.#shut(code, `${error.group}.${error.code}`);
  }

  /** Nothing was heard for two heartbeats: the other end is gone, and may not know it. */
  silent(): void {
    this.#endConnection(connectionErrors.silent(), closeCodes.policy);
  }

  #hello(data: Message): void {
    let hello: Hello;
    let params: unknown;
    try {
      const bytes = bytesPast(limits.helloBytes, data);
      if (bytes !== undefined) throw connectionErrors.helloTooLong(bytes, limits.helloBytes);
      hello = decodeTimed(
        this.#services.env,
        data.length,
        () => decodeHello(data),
        () => ({ what: "hello", length: data.length, actor: this.#actorName() }),
      );
      params = paramsOf(hello.params);
    } catch (cause) {
      this.#refuse(cause);
      return;
    }
    this.encoding = hello.encoding;
    const state: State = { tag: "opening", backlog: [], bytes: 0 };
    this.#state = state;
    this.#open(hello, params).then(
      ({ instance, connection }) => this.#opened(state, instance, connection),
      (cause: unknown) => this.#refuse(passing(cause) ? connectionErrors.actorStopped() : cause),
    );
  }

  async #open(
    hello: Hello,
    params: unknown,
  ): Promise<{ instance: ActorInstance; connection: ActorConnection }> {
    const version = negotiateVersion(hello.versions);
    const instance = await this.#services.host.load(this.#target(hello.input));
    const connection = await instance.connect({
      params,
      sink: this,
      request: this.#request,
      opened: (opened) => {
        const ids = { actorId: instance.record.id, connectionId: opened.id };
        const welcome = encodeWelcome({ kind: "welcome", version, ...ids, heartbeatMs: limits.heartbeatMs });
        const sink = { post: (message: Message) => this.#welcome(message) };
        // The gate broke. A refusal would be for good, but the next activation may welcome this client.
        const failed = ({ group, code }: TroupeError): void =>
          this.#shut(closeCodes.internal, `${group}.${code}`);
        return new MessageOutput(sink, welcome, failed);
      },
    });
    return { instance, connection };
  }

  #actorName(): string {
    const target = this.#target(undefined);
    return target.kind === "id" ? target.id : target.address.name;
  }

  #keepEarly(event: EncodedEvent): void {
    this.#early.push(event);
    this.#earlyBytes += event.bytes;
    this.#checkBacklog();
  }

  #welcome(message: Message): void {
    this.post(message);
    this.#welcomed = true;
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const event of early) this.event(event);
  }

  /** The connection stands: what was sent meanwhile is taken first, in order. */
  #opened(opening: State & { tag: "opening" }, instance: ActorInstance, connection: ActorConnection): void {
    if (this.#state !== opening) {
      // The client went away, or was refused, while the hooks ran.
      connection.closed();
      return;
    }
    const open: State = { tag: "open", instance, connection };
    this.#state = open;
    for (const data of opening.backlog) {
      if (this.#state !== open) return;
      this.#frame(open, data);
    }
  }

  #frame(state: State & { tag: "open" }, data: Message): void {
    const { connection } = state;
    let frame: ClientFrame;
    try {
      const bytes = bytesPast(connection.maxIncomingBytes, data);
      if (bytes !== undefined) throw messageErrors.incomingTooLong(bytes, connection.maxIncomingBytes);
      frame = decodeTimed(
        this.#services.env,
        data.length,
        () => decodeClientFrame(data, this.encoding),
        (decoded) => ({
          what: "frame",
          length: data.length,
          actor: state.instance.record.name,
          action: decoded?.kind === "action" ? decoded.name : undefined,
        }),
      );
    } catch (cause) {
      this.#malformed(state, cause);
      return;
    }
    switch (frame.kind) {
      case "action":
        this.#action(state, frame);
        return;
      case "cancel":
        this.#actions.cancel(frame.id);
        return;
      case "send": {
        const { kind: _, id, name, body, ...send } = frame;
        this.#action(state, { id, name, args: [body], send });
        return;
      }
      case "subscribe": {
        connection.subscribe(frame, new SubscriptionReply(frame.id, this.encoding, this));
        return;
      }
      case "unsubscribe":
        connection.unsubscribe(frame.event);
        return;
      case "credit":
        return this.#actions.streams.credit(frame.id, frame.items);
      case "ping":
        this.post(encodeServerFrame({ kind: "pong" }, this.encoding));
        return;
    }
  }

  #action({ instance, connection }: State & { tag: "open" }, asked: AskedAction): void {
    const refused = this.#actions.start(asked, { instance, connection, sink: this });
    if (refused !== undefined) this.#sendError(refused, asked.id);
  }

  /**
   * A frame that can't be read: its sender can't be trusted with the next one's place. What it sent before is answered
   * first: the error is an output like any other.
   */
  #malformed({ connection }: State & { tag: "open" }, cause: unknown): void {
    const error = TroupeError.is(cause) ? cause : connectionErrors.openingBacklog();
    const code = error.group === "message" ? closeCodes.messageTooBig : closeCodes.protocolError;
    const end = (): void => this.#link.close(code, `${error.group}.${error.code}`);
    const post = (message: Message): void => {
      this.#link.send(message);
      end();
    };
    this.#end();
    connection.emit(new MessageOutput({ post }, errorMessage(error, this.encoding), end));
    connection.closed();
  }

  #endConnection(error: TroupeError, code: number): void {
    const state = this.#state;
    this.endWith(error, code);
    if (state.tag === "open") state.connection.closed();
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

  #sendError(error: TroupeError, id?: number): void {
    this.post(errorMessage(error, this.encoding, id));
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
    if (this.#state.tag === "hello") this.#services.env.timers.clear(this.#state.timer);
    this.#state = { tag: "closed" };
    this.#actions.cancelStreams();
    this.#services.sessions.delete(this);
    this.look();
  }
}
