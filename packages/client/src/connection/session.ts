/**
 * Session: one link of a connection, from its opening to its end.
 *
 * The hello goes out first and everything else right behind it: no round trip is spent on waiting for the welcome. A
 * gateway holds only so much for a connection that is opening (`limits.openingFrames`, `openingBytes`); what is beyond
 * that waits here for the welcome.
 *
 * Order on the link: the subscriptions as they are, then the queued calls in the order of their calls. So a
 * subscription made before a call, in the same tick or an hour earlier, precedes it on every link.
 *
 * A session owns nothing that outlives its link: calls and subscriptions are the connection's.
 */
import type { TimerHandle, TroupeError } from "@troupe/base";
import {
  bytesPast,
  type ClientFrame,
  closeCodes,
  closeReasons,
  decodeOpening,
  decodeServerFrame,
  type Encoding,
  type EventFrame,
  encodeClientFrame,
  encodeHello,
  fromWireError,
  limits,
  type Message,
  PROTOCOL_VERSIONS,
  type Refusal,
  type ServerFrame,
  type SubscribedFrame,
  type Welcome,
} from "@troupe/protocol";
import type { ClientEnv } from "../env.ts";
import { actorErrors, messageErrors } from "../errors.ts";
import type { ClientLink, ClientLinkHandler } from "../transport.ts";
import type { CallQueue } from "./call-queue.ts";
import { Heartbeat, type HeartbeatLink } from "./heartbeat.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** A UTF-16 unit takes at most this many bytes of UTF-8. */
const MOST_BYTES_PER_UNIT = 3;
/** A closing link whose other end doesn't agree is forgotten after this. */
const CLOSE_TIMEOUT_MS = 1_000;
/** A call that goes again waits for so long, on a link that outlives what its actor ran on. Most are closed before. */
const AGAIN_MS = 1_000;

/** Why a session is over. */
export type SessionEnd =
  | { readonly kind: "lost"; readonly cause: unknown }
  /** The actor stopped, and had answered all that it took: what was sent and has no answer was not acted on. */
  | { readonly kind: "left" }
  /** Nothing that was sent was acted on. */
  | { readonly kind: "refused"; readonly error: TroupeError }
  /** The actor is gone for good. */
  | { readonly kind: "destroyed"; readonly error: TroupeError };

/** The connection that a session is of. */
export interface SessionOwner {
  welcomed(): void;
  /** Events that came meanwhile are lost. */
  missed(events: readonly string[]): void;
  /** An error that belongs to no call. */
  failed(error: unknown): void;
  /** Once, and last; not after `close`. */
  ended(end: SessionEnd): void;
}

/** What a session is made of. */
export interface SessionParts {
  readonly env: Pick<ClientEnv, "timers">;
  readonly link: ClientLink;
  readonly encoding: Encoding;
  readonly params: unknown;
  /** Input of the actor, if this connection creates it. */
  readonly input: unknown;
  readonly welcomeTimeoutMs: number;
  readonly calls: CallQueue;
  readonly subscriptions: Subscriptions;
  readonly nextId: () => number;
  readonly owner: SessionOwner;
}

/** Speaks the client protocol on one link. */
export class Session implements ClientLinkHandler, HeartbeatLink {
  readonly #parts: SessionParts;
  #phase: "opening" | "open" | "ended" = "opening";
  #openingTimer: TimerHandle | undefined;
  #heartbeat: Heartbeat | undefined;
  /** Events that this link is subscribed to, with the ids of their frames. */
  readonly #subscribed = new Map<string, number>();
  /** The subscriptions' version that this link is up to date with. */
  #version = -1;
  #openingFrames = 0;
  #openingBytes = 0;
  /** What the actor takes in one message, once it has said so. */
  #maxBytes = Infinity;
  /** Who has welcomed the client. */
  #actorId = "";
  /** The actor is stopping: it takes nothing more, and the gateway will close the link. */
  #leaving = false;
  /** A call goes again when it fires; those behind it wait, as on a link that is lost. */
  #again: TimerHandle | undefined;
  /** What the gateway said before it closed the link. */
  #fatal: TroupeError | undefined;
  #onClosed: (() => void) | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Throws what the encoding of the parameters throws; then the link is unused. */
  start(): void {
    const { link, env, welcomeTimeoutMs } = this.#parts;
    const hello = encodeHello({
      kind: "hello",
      versions: PROTOCOL_VERSIONS,
      encoding: this.#parts.encoding,
      ...(this.#parts.params === undefined ? {} : { params: this.#parts.params }),
      ...(this.#parts.input === undefined ? {} : { input: this.#parts.input }),
    });
    this.#openingTimer = env.timers.set(() => this.#giveUp("the hello wasn't answered"), welcomeTimeoutMs);
    link.attach(this);
    link.send(hello);
    this.flush();
  }

  /** Sends what waits: called after every change of the calls or subscriptions. */
  flush(): void {
    const { calls } = this.#parts;
    if (!this.#syncSubscriptions() || this.#again !== undefined) return;
    for (let call = calls.first; call !== undefined; call = calls.first) {
      const bytes = bytesPast(this.#maxBytes, call.data);
      if (bytes !== undefined) {
        calls.refuse(call, messageErrors.incomingTooLong(bytes, this.#maxBytes));
        continue;
      }
      if (!this.#admits(call.data)) return;
      calls.markSent(call);
      this.#send(call.data);
    }
  }

  /** Says something of a call that was sent over this link. An opening link that is full isn't told of a cancel. */
  control(frame: ClientFrame): void {
    if (this.#phase !== "ended") this.#sendFrame(frame);
  }

  /** Closes the link; settles when the other end has agreed, or didn't in time. The owner hears nothing more. */
  close(): Promise<void> {
    this.#stop();
    const { timers } = this.#parts.env;
    return new Promise((resolve) => {
      const timer = timers.set(resolve, CLOSE_TIMEOUT_MS, { background: true });
      this.#onClosed = () => {
        timers.clear(timer);
        resolve();
      };
      this.#parts.link.close(closeCodes.normal, "");
    });
  }

  message(data: Message): void {
    if (this.#phase === "ended") return;
    this.#heartbeat?.heard();
    let opening: Welcome | Refusal | undefined;
    let frame: ServerFrame | undefined;
    try {
      if (this.#phase === "opening") opening = decodeOpening(data);
      else frame = decodeServerFrame(data, this.#parts.encoding);
    } catch (error) {
      this.#parts.owner.failed(error);
      this.#parts.link.close(closeCodes.protocolError, "");
      this.#end({ kind: "lost", cause: error });
      return;
    }
    if (opening !== undefined) this.#opened(opening);
    if (frame !== undefined) this.#receive(frame);
  }

  closed(code: number, reason: string): void {
    this.#onClosed?.();
    if (code === closeCodes.normal && reason === closeReasons.destroyed) {
      this.#end({ kind: "destroyed", error: actorErrors.destroyed() });
      return;
    }
    if (leftNothing(code, reason)) {
      this.#end({ kind: "left" });
      return;
    }
    const cause = this.#fatal ?? new Error(`The link was closed: ${code} ${reason}`.trimEnd());
    this.#end({ kind: "lost", cause });
  }

  ping(): void {
    this.#send(encodeClientFrame({ kind: "ping" }, this.#parts.encoding));
  }

  dead(): void {
    this.#giveUp("nothing came for two heartbeats");
  }

  #opened(answer: Welcome | Refusal): void {
    if (answer.kind === "refusal") {
      this.#parts.link.close(closeCodes.normal, "");
      this.#end({ kind: "refused", error: fromWireError(answer.error) });
      return;
    }
    this.#phase = "open";
    this.#actorId = answer.actorId;
    this.#maxBytes = answer.maxIncomingBytes ?? Infinity;
    this.#clearOpeningTimer();
    this.#heartbeat = new Heartbeat(this.#parts.env.timers, answer.heartbeatMs, this);
    this.#heartbeat.start();
    // First the owner, who tells what was missed before: what this link has subscribed to is not a part of that.
    this.#parts.owner.welcomed();
    for (const event of this.#subscribed.keys()) this.#parts.subscriptions.established(event);
    this.flush();
  }

  #receive(frame: ServerFrame): void {
    const { calls } = this.#parts;
    switch (frame.kind) {
      case "reply":
        return calls.resolve(frame.id, frame.output);
      case "item":
        return calls.item(frame.id, frame.item);
      case "end":
        return calls.end(frame.id);
      case "event":
        return this.#receiveEvent(frame);
      case "error":
        return this.#receiveError(frame.id, fromWireError(frame.error));
      case "subscribed":
        return this.#subscribedTo(frame);
      case "pong":
        return;
    }
  }

  #receiveEvent({ name, args, sequence }: EventFrame): void {
    const { subscriptions } = this.#parts;
    if (sequence === undefined) subscriptions.emit(name, args);
    else subscriptions.emitRetained(name, args, { actorId: this.#actorId, after: sequence });
  }

  #subscribedTo({ id, sequence, gap }: SubscribedFrame): void {
    for (const [event, subscription] of this.#subscribed) {
      if (subscription !== id) continue;
      const known = this.#parts.subscriptions.place(event) !== undefined;
      const place = sequence === undefined ? undefined : { actorId: this.#actorId, after: sequence };
      this.#parts.subscriptions.placed(event, place);
      // A gateway that is older doesn't know of places: what it was asked to resume begins anew.
      if (gap === true || (sequence === undefined && known)) this.#parts.owner.missed([event]);
    }
  }

  #receiveError(id: number | undefined, error: TroupeError): void {
    if (id !== undefined && isStopping(error) && this.#parts.calls.requeue(id)) {
      // An actor that stops takes no later call either, so the order of calls is kept on the next link.
      this.#leaving = true;
      return;
    }
    if (id !== undefined && this.#parts.calls.again(id, error)) {
      this.#again ??= this.#parts.env.timers.set(() => {
        this.#again = undefined;
        this.flush();
      }, AGAIN_MS);
      return;
    }
    if (id === undefined) this.#fatal = error;
    else if (this.#parts.calls.reject(id, error)) return;
    for (const [event, subscription] of this.#subscribed) {
      if (subscription === id) this.#parts.subscriptions.refused(event);
    }
    this.#parts.owner.failed(error);
  }

  /** True when the link is, or will be in order, up to date. */
  #syncSubscriptions(): boolean {
    const { subscriptions, nextId } = this.#parts;
    if (this.#version === subscriptions.version) return true;
    for (const event of this.#subscribed.keys()) {
      if (subscriptions.has(event)) continue;
      if (!this.#sendFrame({ kind: "unsubscribe", event })) return false;
      this.#subscribed.delete(event);
    }
    for (const event of subscriptions.events) {
      if (this.#subscribed.has(event)) continue;
      const id = nextId();
      const resume = subscriptions.place(event);
      const frame = { kind: "subscribe", id, event } as const;
      if (!this.#sendFrame(resume === undefined ? frame : { ...frame, resume })) return false;
      this.#subscribed.set(event, id);
      if (this.#phase === "open") subscriptions.established(event);
    }
    this.#version = subscriptions.version;
    return true;
  }

  #sendFrame(frame: ClientFrame): boolean {
    const data = encodeClientFrame(frame, this.#parts.encoding);
    const admitted = this.#admits(data);
    if (admitted) this.#send(data);
    return admitted;
  }

  /** True when the link can take `data` now. */
  #admits(data: Message): boolean {
    if (this.#phase !== "opening") return this.#phase === "open" && !this.#leaving;
    return (
      this.#openingFrames < limits.openingFrames &&
      // The welcome will say whether the actor takes it.
      bytesPast(limits.defaultIncomingMessageBytes, data) === undefined &&
      this.#openingBytes + mostBytes(data) <= limits.openingBytes
    );
  }

  #send(data: Message): void {
    if (this.#phase === "opening") {
      this.#openingFrames += 1;
      this.#openingBytes += mostBytes(data);
    }
    this.#parts.link.send(data);
  }

  #giveUp(why: string): void {
    this.#parts.link.close(closeCodes.normal, "");
    this.#end({ kind: "lost", cause: new Error(`The link was given up: ${why}`) });
  }

  #end(end: SessionEnd): void {
    if (this.#phase === "ended") return;
    this.#stop();
    this.#parts.owner.ended(end);
  }

  #stop(): void {
    this.#phase = "ended";
    this.#heartbeat?.stop();
    this.#clearOpeningTimer();
    if (this.#again !== undefined) this.#parts.env.timers.clear(this.#again);
  }

  #clearOpeningTimer(): void {
    if (this.#openingTimer !== undefined) this.#parts.env.timers.clear(this.#openingTimer);
    this.#openingTimer = undefined;
  }
}

/** Everything that the actor was asked on this link has its answer. */
function leftNothing(code: number, reason: string): boolean {
  return (
    (code === closeCodes.restart && reason === closeReasons.restarting) ||
    (code === closeCodes.internal && reason === closeReasons.broken)
  );
}

/**
 * The call reached an activation that was about to end, and was not acted on. One that was, and failed because a third
 * actor was stopping, says the same without `retryable`.
 */
function isStopping(error: TroupeError): boolean {
  return error.retryable && error.group === "actor" && error.code === "stopping";
}

function mostBytes(data: Message): number {
  return typeof data === "string" ? data.length * MOST_BYTES_PER_UNIT : data.length;
}
