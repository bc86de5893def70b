/**
 * A raw socket of one activation: the actor's end, from the connect hooks to the last `close` listener.
 *
 *   (hooks) ──▶ open ──close(), a handler throws, the actor stops, the gate breaks──▶ closing ──▶ closed
 *
 * It is a connection like any other: it passes `onBeforeConnect`, `createConnState` and `onConnect`, is in `c.conns`, keeps
 * the actor awake, and ends with `onDisconnect`. Only what is said on it is the actor's own.
 *
 * In: messages wait, in order and within limits, until somebody listens to them, and none that comes later overtakes
 * them. One that comes when the actor already stops is not dropped in silence: the socket closes with 1012.
 *
 * Out: a message is an output. It leaves behind everything that the actor said before, once what was written is durable.
 * When the gate breaks, the socket closes with 1011 and nothing of what waited gets out.
 *
 * A handler or a listener that throws ends its socket with 1011; the actor lives on. A listener that is still at work is
 * waited for by a stop. After a crash the client hears 1006 and nothing of what it sent is remembered here.
 */
import { TroupeError } from "@troupe/base";
import type { SocketEvents } from "@troupe/client";
import { bytesPast, closeCodes, type Encoding, limits, type Message } from "@troupe/protocol";
import { connectionErrors, messageErrors } from "../../errors.ts";
import {
  type ActorConnection,
  type CloseReason,
  type ConnectionSink,
  closeCodeOf,
} from "../../ports/instance.ts";
import { FunctionOutput } from "../../ports/output.ts";
import type { RawSocket, RawSocketRequest } from "../../ports/raw.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import { CallRun } from "./call-run.ts";
import type { Entries } from "./entries.ts";
import { asEntry } from "./exclusive.ts";
import { asHook } from "./hook-scope.ts";
import { entriesOf } from "./shared-by-calls.ts";
import { SocketListeners } from "./socket-listeners.ts";
import { ActorWebSocket, type WebSocketCore } from "./web-socket.ts";

/** A socket's `readyState` while things can be said on it. */
export const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** A message, with its number among those of its socket where it may be said again. */
interface Heard {
  readonly data: Message;
  readonly index: number | undefined;
}

/** The actor's end of one raw socket. */
export class LocalSocket implements RawSocket, ConnectionSink, WebSocketCore {
  readonly encoding: Encoding = "json";
  readonly listeners = new SocketListeners();
  readonly maxIncomingBytes: number;
  readonly protocol: string;
  readonly #activation: Activation;
  readonly #opening: RawSocketRequest;
  readonly #request: Request;
  readonly #maxOutgoingBytes: number;
  #readyState = OPEN;
  #connection: ActorConnection | undefined;
  #run: CallRun | undefined;
  /** How the link ended, when it did so first. */
  #linkEnd: { readonly code: number; readonly reason: string } | undefined;
  #backlog: Heard[] = [];
  #backlogBytes = 0;
  #flushing = false;
  /** A message has its turn, or waits for it. */
  #serving = false;
  /** Bytes that wait at the gate. */
  #gatedBytes = 0;

  constructor(activation: Activation, opening: RawSocketRequest) {
    const { maxIncomingMessageSize, maxOutgoingMessageSize } = activation.descriptor.options;
    this.#activation = activation;
    this.#opening = opening;
    this.#request = opening.request();
    this.protocol = opening.protocol;
    this.maxIncomingBytes = maxIncomingMessageSize;
    this.#maxOutgoingBytes = Math.min(maxOutgoingMessageSize, limits.outgoingMessageBytes);
  }

  get readyState(): number {
    return this.#readyState;
  }

  get url(): string {
    return this.#request.url;
  }

  get bufferedBytes(): number {
    return this.#gatedBytes + this.#opening.peer.bufferedBytes;
  }

  get hibernatable(): boolean {
    return this.#connection?.hibernatable === true;
  }

  /** The hooks are done: the socket is the handler's. */
  begin(connection: ActorConnection, handler: Hook, from: "opened" | "resumed" = "opened"): void {
    this.#connection = connection;
    const { params } = this.#opening;
    const request = this.#request;
    this.#run = new CallRun(this.#activation, { connection, params, request: () => request });
    this.#opening.opened(this);
    // The client may be gone by now, and the actor may have ended the connection in `onConnect`.
    if (this.#readyState !== OPEN) return;
    const c = this.#run.context;
    const websocket = new ActorWebSocket(this);
    const activation = this.#activation;
    const accept = (): unknown => asHook(activation, "onWebSocket", () => handler(c, websocket, { request }));
    const result = activation.enter(() => started(accept));
    const handled = result.catch((cause: unknown) => this.#failed(cause));
    // A handler that goes on holds what the next activation wouldn't have.
    if (this.hibernatable) this.#activation.work.track("connection", handled);
    if (from === "opened") void Promise.resolve().then(() => this.#tell("open", { type: "open" }));
  }

  message(data: Message, index?: number): void {
    if (this.#readyState !== OPEN) return;
    this.#backlog.push({ data, index });
    this.#backlogBytes += data.length;
    if (!this.#flushing) this.#flush();
    // The gateway counts what it may have to say again.
    if (index !== undefined) return;
    if (this.#backlog.length > limits.openingFrames || this.#backlogBytes > limits.openingBytes)
      this.#endWith(connectionErrors.openingBacklog(), closeCodes.policy);
  }

  listening(): void {
    if (this.#flushing || this.#backlog.length === 0) return;
    // Not at once: whoever attaches a listener is about to attach others.
    this.#flushing = true;
    void Promise.resolve().then(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  send(message: Message): void {
    const bytes = bytesPast(this.#maxOutgoingBytes, message);
    if (bytes !== undefined) throw messageErrors.outgoingTooLong(bytes, this.#maxOutgoingBytes);
    if (this.#readyState !== OPEN) return;
    this.#gatedBytes += message.length;
    const release = (): void => {
      this.#gatedBytes -= message.length;
      this.#opening.peer.send(message);
    };
    this.#activation.emit(new FunctionOutput(message.length, release, (error) => this.#lost(error)));
  }

  end(code: number, reason: string): void {
    if (this.#readyState !== OPEN) return;
    this.#readyState = CLOSING;
    const close = (): void => this.#opening.peer.close(code, reason);
    this.#activation.emit(new FunctionOutput(64, close, (error) => this.#lost(error)));
  }

  /** The link has ended. */
  closed(code: number, reason: string): void {
    this.#linkEnd = { code, reason };
    this.#connection?.closed();
  }

  /** `conn.send`: an event can't be said in a protocol that is the actor's own. */
  event(): void {
    this.#activation.log.warn("an event was sent to a raw socket, which has none: use its send()");
  }

  /** The connection ends; what was said before has left, unless the gate is broken. */
  close(reason: CloseReason): void {
    this.#opening.peer.close(closeCodeOf(reason), reason.text);
  }

  hibernated(): void {
    this.#readyState = CLOSED;
    this.#backlog = [];
    this.#run?.release();
  }

  async ended(reason: CloseReason | undefined): Promise<void> {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    this.#backlog = [];
    const { code, reason: text } = this.#linkEnd ?? {
      code: reason === undefined ? 1006 : closeCodeOf(reason),
      reason: reason?.text ?? "",
    };
    const wasClean = code !== 1006;
    const pending: PromiseLike<unknown>[] = [];
    if (!wasClean || reason?.kind === "broken") this.#tell("error", { type: "error" }, pending);
    this.#tell("close", { type: "close", code, reason: text, wasClean }, pending);
    this.#run?.release();
    await Promise.allSettled(pending);
  }

  #flush(): void {
    if (this.#serving) return;
    this.#flushing = true;
    try {
      while (this.#backlog.length > 0 && this.listeners.has("message")) {
        if (this.#readyState !== OPEN) return;
        // It is closed with the actor's other connections, once the end is durable.
        if (this.#activation.doomed) return;
        if (this.#activation.stopping) {
          // The next activation hears it.
          if (this.hibernatable) return;
          this.end(closeCodes.restart, "actor.restarting");
          return;
        }
        const heard = this.#backlog.shift();
        if (heard === undefined) return;
        this.#backlogBytes -= heard.data.length;
        const entries = entriesOf(this.#activation);
        if (entries !== undefined) {
          void this.#inTurn(entries, heard);
          return;
        }
        this.#hear(heard);
      }
    } finally {
      this.#flushing = false;
    }
  }

  /** One message of a serial actor's: the next one when this one's listeners are done. Never rejects. */
  async #inTurn(entries: Entries, heard: Heard): Promise<void> {
    this.#serving = true;
    const going: PromiseLike<unknown>[] = [];
    try {
      await asEntry(this.#activation, entries, async () => {
        if (this.#readyState === OPEN) this.#hear(heard, going);
        await Promise.allSettled(going);
      });
    } catch (cause) {
      // One that was still waiting when the activation ended is the next one's.
      if (this.#readyState === OPEN) this.#failed(cause);
    }
    this.#serving = false;
    this.#flush();
  }

  /** `going` gets the listeners that go on. */
  #hear({ data, index }: Heard, going: PromiseLike<unknown>[] = []): void {
    const own = typeof data === "string" ? data : ownBuffer(data);
    if (index === undefined) {
      this.#tell("message", { type: "message", data: own }, going);
      return;
    }
    const { work } = this.#activation;
    // The actor wasn't idle just now, though nothing else says so.
    work.begin("hook");
    this.#tell("message", { type: "message", data: own, rivetMessageIndex: index }, going);
    if (going.length === 0) this.#acknowledge(index);
    else void Promise.allSettled(going).then(() => this.#acknowledge(index));
    work.end("hook");
  }

  /** Behind what the handler wrote. One that was left behind, or has failed, acknowledges nothing. */
  #acknowledge(index: number): void {
    if (this.#readyState !== OPEN) return;
    const { peer } = this.#opening;
    this.#activation.emit(
      new FunctionOutput(
        16,
        () => peer.acknowledge?.(index),
        () => {},
      ),
    );
  }

  /** `going` gets the listeners that go on. */
  #tell<N extends keyof SocketEvents>(name: N, event: SocketEvents[N], going?: PromiseLike<unknown>[]): void {
    if (!this.listeners.has(name)) return;
    const failed = (cause: unknown): void => this.#failed(cause);
    const pending = (promise: PromiseLike<unknown>): void => {
      const settled = Promise.resolve(promise).then(undefined, failed);
      this.#activation.work.track("hook", settled);
      going?.push(settled);
    };
    const activation = this.#activation;
    const inTurn = this.#serving && name === "message";
    const own = inTurn ? { activation, call: activation.calls.running } : undefined;
    this.#activation.enter(() => this.listeners.tell(name, event, { failed, pending }), own);
  }

  #failed(cause: unknown): void {
    this.#activation.log.error("a raw socket's handler failed; the socket is closed", { cause });
    const known = TroupeError.is(cause) && cause.public;
    this.end(closeCodes.internal, known ? `${cause.group}.${cause.code}` : "internal.error");
  }

  #endWith({ group, code: name }: TroupeError, code: number): void {
    this.end(code, `${group}.${name}`);
  }

  /** Something that was on its way will never leave: the client must know. */
  #lost(error: TroupeError): void {
    if (this.#readyState === OPEN) this.#readyState = CLOSING;
    this.#opening.peer.close(closeCodes.internal, `${error.group}.${error.code}`);
  }
}

/** What `first` returns or throws, as a promise; it runs at once. */
async function started(first: () => unknown): Promise<unknown> {
  return await first();
}

/** The bytes alone: what the link gives may be a window on a larger buffer. */
function ownBuffer(data: Uint8Array): ArrayBuffer {
  return new Uint8Array(data).buffer;
}
