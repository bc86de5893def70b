/**
 * RawSession: one raw WebSocket, between a client and what its actor makes of it.
 *
 *   opening ──actor is there and has taken it──▶ open ──▶ closed
 *                                               │    ▲
 *                                   actor sleeps▼    │next activation has it
 *                                               asleep
 *
 * The messages of a socket that hibernates are numbered, and held until the actor has acknowledged them. What an activation
 * that ends leaves unacknowledged is said to the next one, in order and under the same numbers; asleep, a message wakes it.
 *
 * What the client sends while the actor wakes waits, in order: in the system's buffers where the link can hold it back,
 * else here, within limits; none that comes later overtakes it. A socket that is refused was accepted and is closed at
 * once: 1008, or 1013 when it may be tried again, with `group.code` as its reason, which is all that a browser shows.
 *
 * Its client speaks no heartbeat of ours: the gateway pings it as RFC 6455 has it, and any client answers.
 */
import { assert, type TroupeError } from "@troupe/base";
import { bytesPast, closeCodes, limits, type Message, toWireError } from "@troupe/protocol";
import { connectionErrors, messageErrors } from "../errors.ts";
import type { Target } from "../host/actor-host.ts";
import { logFieldsOf } from "../host/target.ts";
import type { SocketClient } from "../ports/hibernation.ts";
import type { ActorInstance } from "../ports/instance.ts";
import type { RawPeer, RawSocket } from "../ports/raw.ts";
import type { Link, LinkHandler } from "../ports/transport.ts";
import { Held } from "./held.ts";
import { woken } from "./loaded.ts";
import { passing } from "./passing.ts";
import type { GatewayServices, Session } from "./services.ts";
import { agreed, offeredParams } from "./subprotocols.ts";

type State =
  | { readonly tag: "opening"; readonly backlog: Message[]; bytes: number }
  | { readonly tag: "open"; readonly socket: RawSocket }
  | Asleep
  | { readonly tag: "closed"; readonly code: number; readonly reason: string };

/** The actor sleeps, or is about to: what the client says is held for the next activation. */
interface Asleep {
  readonly tag: "asleep";
  readonly connectionId: string;
  waking: boolean;
}

/** One raw socket of one client. */
export class RawSession implements LinkHandler, RawPeer, Session, SocketClient {
  readonly kind = "socket";
  heardAt: number;
  readonly #services: GatewayServices;
  readonly #link: Link;
  readonly #target: () => Target;
  /** The actor, once it was there. */
  #actorId = "";
  #maxIncomingBytes = 0;
  /** What isn't acknowledged, of a socket that hibernates. */
  #held: Held<Message> | undefined;
  #state: State = { tag: "opening", backlog: [], bytes: 0 };
  /** What the gateway's total knows of this client's backlog. */
  #unread = 0;

  constructor(options: {
    services: GatewayServices;
    link: Link;
    target: () => Target;
    /** The request that opened it: a raw socket has always been asked for by one. */
    request: (() => Request) | undefined;
    /** Path and query as the actor sees them. */
    url: string;
  }) {
    const { services, link, target, request, url } = options;
    assert(request !== undefined, "a raw socket is opened by a request");
    this.#services = services;
    this.#link = link;
    this.#target = target;
    this.heardAt = services.env.clock.monotonic();
    link.attach(this);
    this.#open(() => underOwnPath(request(), url)).catch((cause: unknown) => this.#refused(cause));
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  message(data: Message): void {
    this.heard();
    const state = this.#state;
    switch (state.tag) {
      case "open":
        this.#take(state.socket, data);
        return;
      case "asleep":
        if (this.#hold(data) !== undefined) this.#wake(state);
        return;
      case "opening":
        state.bytes += data.length;
        if (state.backlog.length >= limits.openingFrames || state.bytes > limits.openingBytes) {
          this.#endWith(connectionErrors.openingBacklog(), closeCodes.policy);
          return;
        }
        state.backlog.push(data);
        return;
      case "closed":
        return;
    }
  }

  tooLong(bytes: number): void {
    this.#endWith(messageErrors.incomingTooLong(bytes, this.#maxIncomingBytes), closeCodes.messageTooBig);
  }

  closed(code: number, reason: string): void {
    this.#end(code, reason);
  }

  heard(): void {
    this.heardAt = this.#services.env.clock.monotonic();
  }

  ask(): void {
    // Nobody reads the answer while the actor wakes; its hooks have times of their own.
    if (this.#state.tag === "opening" && this.#link.accept !== undefined) this.heard();
    else if (this.#held?.paused === true) this.heard();
    else if (this.#link.ping !== undefined) this.#link.ping();
    // A link that can't ask breaks with its other end.
    else this.heard();
  }

  silent(): void {
    this.#endWith(connectionErrors.silent(), closeCodes.policy);
  }

  look(): number {
    const unread = this.#state.tag === "closed" ? 0 : this.#link.bufferedBytes;
    const more = unread - this.#unread;
    this.#unread = unread;
    this.#services.unread.add(more);
    return unread;
  }

  relieve(): void {
    this.#endWith(connectionErrors.slowestReader(limits.gatewayUnreadBytes), closeCodes.tryLater);
  }

  endWith(error: TroupeError, code: number): void {
    this.#endWith(error, code);
  }

  send(data: Message): void {
    if (this.#state.tag === "closed") return;
    this.#link.send(data);
    if (this.look() > limits.sendBufferBytes)
      this.#endWith(connectionErrors.slowReader(limits.sendBufferBytes), closeCodes.tryLater);
  }

  close(code: number, reason: string): void {
    this.#link.close(code, reason);
  }

  get peer(): RawPeer {
    return this;
  }

  acknowledge(index: number): void {
    this.#held?.release(index);
  }

  hibernate(connectionId: string): boolean {
    // One that is still opening ends with the activation that it was opening at.
    if (this.#state.tag === "closed" || this.#state.tag === "opening") return false;
    const asleep: Asleep = { tag: "asleep", connectionId, waking: false };
    this.#state = asleep;
    // What the last activation didn't settle is the next one's, at once.
    if ((this.#held?.size ?? 0) > 0) this.#wake(asleep);
    return true;
  }

  resumed(_instance: ActorInstance, socket: RawSocket): void {
    if (this.#state.tag === "closed") {
      socket.closed(this.#state.code, this.#state.reason);
      return;
    }
    const open: State = { tag: "open", socket };
    this.#state = open;
    for (const [index, data] of this.#held ?? []) {
      if (this.#state !== open) return;
      socket.message(data, index);
    }
  }

  unknown(): void {
    this.#shut(closeCodes.restart, "actor.restarting");
  }

  async #open(request: () => Request): Promise<void> {
    const offered = request().headers.get("sec-websocket-protocol") ?? undefined;
    const params = offeredParams(offered);
    const instance = await this.#services.host.load(this.#target());
    this.#actorId = instance.record.id;
    instance.open({
      kind: "socket",
      params,
      request,
      protocol: agreed(offered),
      peer: this,
      client: this,
      opened: (socket) => this.#opened(socket),
      refused: (cause) => this.#refused(cause),
    });
  }

  /** What was sent meanwhile is taken first, in order. */
  #opened(socket: RawSocket): void {
    const opening = this.#state;
    if (opening.tag === "closed") {
      socket.closed(opening.code, opening.reason);
      return;
    }
    assert(opening.tag === "opening", "a raw socket is taken once");
    const open: State = { tag: "open", socket };
    this.#state = open;
    this.#maxIncomingBytes = socket.maxIncomingBytes;
    for (const data of opening.backlog) {
      if (this.#state === open) this.#take(socket, data);
    }
    if (this.#state === open) this.#link.accept?.(socket.maxIncomingBytes);
  }

  #take(socket: RawSocket, data: Message): void {
    if (socket.hibernatable === true) {
      const index = this.#hold(data);
      if (index !== undefined) socket.message(data, index);
    } else if (this.#fits(data)) socket.message(data);
  }

  #fits(data: Message): boolean {
    const bytes = bytesPast(this.#maxIncomingBytes, data);
    if (bytes !== undefined) this.tooLong(bytes);
    return bytes === undefined;
  }

  /** Its index; undefined: the socket has been closed for it. */
  #hold(data: Message): number | undefined {
    if (!this.#fits(data)) return undefined;
    this.#held ??= new Held(this.#link, this.#services.held);
    try {
      return this.#held.add(data, data.length);
    } catch (cause) {
      this.#refused(cause);
      return undefined;
    }
  }

  /** The next activation asks for this client while it starts. */
  #wake(asleep: Asleep): void {
    if (asleep.waking) return;
    asleep.waking = true;
    woken(this.#services.host, this.#actorId).catch((cause: unknown) => {
      if (this.#state === asleep) this.#refused(cause);
    });
  }

  #refused(cause: unknown): void {
    if (this.#state.tag === "closed") return;
    const logId = this.#services.report(cause, {
      socket: "refused",
      ...logFieldsOf(this.#target()),
    });
    const { group, code, retryable } = toWireError(
      passing(cause) ? connectionErrors.actorStopped() : cause,
      false,
      logId,
    );
    this.#shut(retryable ? closeCodes.tryLater : closeCodes.policy, `${group}.${code}`);
  }

  #endWith({ group, code: name }: TroupeError, code: number): void {
    this.#shut(code, `${group}.${name}`);
  }

  /** The gateway ends it: nobody waits for the client to agree. */
  #shut(code: number, reason: string): void {
    this.#link.close(code, reason);
    this.#end(code, reason);
  }

  #end(code: number, reason: string): void {
    const before = this.#state;
    if (before.tag === "closed") return;
    this.#state = { tag: "closed", code, reason };
    this.#services.sessions.delete(this);
    this.#held?.clear();
    this.look();
    if (before.tag === "asleep") this.#services.host.hibernation.forget(this.#actorId, before.connectionId);
    if (before.tag === "open") before.socket.closed(code, reason);
  }
}

/** The request as the actor sees it: what stands before its own path is nothing of its own. */
function underOwnPath(request: Request, url: string): Request {
  // Not resolved against the origin: `//other.host` is a path here.
  return new Request(new URL(request.url).origin + url, { method: request.method, headers: request.headers });
}
