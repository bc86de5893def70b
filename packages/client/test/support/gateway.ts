/**
 * A gateway that does nothing by itself: it holds each dial, link and frame until the test says what becomes of it.
 */
import { assert } from "@troupe/base";
import {
  type ClientFrame,
  decodeClientFrame,
  decodeHello,
  type Encoding,
  encodeServerFrame,
  encodeWelcome,
  type Hello,
  type Message,
  type SendOutcome,
  type ServerFrame,
  type WireError,
} from "@troupe/protocol";
import type {
  ActorTarget,
  ClientLink,
  ClientLinkHandler,
  ClientTransport,
  QueueSend,
  TransportCallOptions,
} from "../../src/transport.ts";
import { settled } from "./world.ts";

export const HEARTBEAT_MS = 30_000;

/** The other end of one link. */
export class GatewayLink implements ClientLink {
  readonly #encoding: Encoding;
  #handler: ClientLinkHandler | undefined;
  readonly #sent: Message[] = [];
  /** The code with which the client has closed the link. */
  closedWith: number | undefined;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  attach(handler: ClientLinkHandler): void {
    this.#handler = handler;
  }

  send(data: Message): void {
    if (this.closedWith === undefined) this.#sent.push(data);
  }

  close(code: number): void {
    this.closedWith ??= code;
  }

  get hello(): Hello {
    const [first] = this.#sent;
    assert(first !== undefined, "no hello was sent");
    return decodeHello(first);
  }

  /** What was sent behind the hello. */
  get frames(): ClientFrame[] {
    return this.#sent.slice(1).map((data) => decodeClientFrame(data, this.#encoding));
  }

  /** The frames in short: `["on moved", "act go"]`. */
  get told(): string[] {
    return this.frames.map(inShort);
  }

  /** The id of the newest call of an action, or of the subscription to an event. */
  idOf(name: string): number {
    const frame = this.frames.findLast(
      (each) =>
        ((each.kind === "action" || each.kind === "send") && each.name === name) ||
        (each.kind === "subscribe" && each.event === name),
    );
    assert(frame !== undefined && "id" in frame, `nothing was sent for ${name}`);
    return frame.id;
  }

  async welcome(heartbeatMs = HEARTBEAT_MS): Promise<void> {
    const ids = { actorId: "actor-1", connectionId: "connection-1" };
    this.#deliver(encodeWelcome({ kind: "welcome", version: 1, heartbeatMs, ...ids }));
    await settled();
  }

  async refuse(error: Partial<WireError>): Promise<void> {
    this.#deliver(encodeWelcome({ kind: "refusal", error: wireError(error) }));
    await settled();
    await this.drop(1008);
  }

  async say(frame: ServerFrame): Promise<void> {
    this.#deliver(encodeServerFrame(frame, this.#encoding));
    await settled();
  }

  async sayRaw(data: Message): Promise<void> {
    this.#deliver(data);
    await settled();
  }

  async drop(code = 1006, reason = ""): Promise<void> {
    this.#handler?.closed(code, reason);
    await settled();
  }

  #deliver(data: Message): void {
    assert(this.#handler !== undefined, "nobody listens on the link");
    this.#handler.message(data);
  }
}

function inShort(frame: ClientFrame): string {
  switch (frame.kind) {
    case "action":
      return `act ${frame.name}`;
    case "send":
      return `send ${frame.name}`;
    case "subscribe":
      return `on ${frame.event}`;
    case "unsubscribe":
      return `off ${frame.event}`;
    case "ping":
      return "ping";
    case "credit":
      return `take ${frame.items}`;
    case "cancel":
      return `cancel ${frame.id}`;
  }
}

export function wireError(error: Partial<WireError>): WireError {
  return { group: "actor", code: "forbidden", message: "No", retryable: false, ...error };
}

/** One attempt to connect that waits for the test. */
interface Dial {
  readonly target: ActorTarget;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (link: ClientLink) => void;
  readonly reject: (error: unknown) => void;
}

/** One stateless call that waits for the test. */
export interface HeldCall {
  readonly kind: "action" | "send" | "resolve";
  readonly target: ActorTarget;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly options: TransportCallOptions;
  readonly resolve: (value: string) => void;
  readonly reject: (error: unknown) => void;
}

export class Gateway implements ClientTransport {
  readonly encoding: Encoding;
  readonly dials: Dial[] = [];
  readonly calls: HeldCall[] = [];

  constructor(encoding: Encoding = "json") {
    this.encoding = encoding;
  }

  action(
    target: ActorTarget,
    name: string,
    args: readonly unknown[],
    options: TransportCallOptions,
  ): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.calls.push({ kind: "action", target, name, args, options, resolve, reject }),
    );
  }

  send(target: ActorTarget, message: QueueSend, options: TransportCallOptions): Promise<SendOutcome> {
    return new Promise((resolve, reject) =>
      this.calls.push({
        kind: "send",
        target,
        name: message.name,
        args: [message],
        options,
        resolve: (status) => resolve(JSON.parse(status)),
        reject,
      }),
    );
  }

  resolve(target: ActorTarget, options: TransportCallOptions): Promise<string> {
    return new Promise((resolve, reject) =>
      this.calls.push({ kind: "resolve", target, name: "", args: [], options, resolve, reject }),
    );
  }

  connect(target: ActorTarget, options: { readonly signal?: AbortSignal | undefined }): Promise<ClientLink> {
    return new Promise((resolve, reject) =>
      this.dials.push({ target, signal: options.signal, resolve, reject }),
    );
  }

  /** The newest stateless call. */
  get call(): HeldCall {
    const call = this.calls.at(-1);
    assert(call !== undefined, "no call was made");
    return call;
  }

  get dial(): Dial {
    const dial = this.dials.at(-1);
    assert(dial !== undefined, "nobody dialled");
    return dial;
  }

  /** Opens the link of the newest dial, without a welcome. */
  async open(): Promise<GatewayLink> {
    await settled();
    const link = new GatewayLink(this.encoding);
    this.dial.resolve(link);
    await settled();
    return link;
  }

  /** Opens the link of the newest dial and welcomes it. */
  async accept(): Promise<GatewayLink> {
    const link = await this.open();
    await link.welcome();
    return link;
  }

  async refuseDial(error: unknown): Promise<void> {
    await settled();
    this.dial.reject(error);
    await settled();
  }
}
