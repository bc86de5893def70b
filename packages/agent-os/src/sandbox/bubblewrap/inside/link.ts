/**
 * Link: what the runtime and a sandbox's supervisor say to each other, over one socket: messages, and channels.
 *
 * Both sides use this file. Channels that the runtime opens have odd numbers, the others even ones.
 */
import type { Duplex } from "node:stream";
import { Channel, type ChannelMessage } from "./channel.ts";
import { encodeFrame, type FrameLimits, FrameReader } from "./frames.ts";

/** What a link is made of. */
export interface LinkParts {
  readonly socket: Duplex;
  readonly limits: FrameLimits;
  /** 1 on the runtime's side, 2 on the supervisor's. */
  readonly firstChannel: 1 | 2;
  /** A message that isn't a channel's. What it throws ends the link. */
  readonly onMessage: (message: object, body: Uint8Array) => void;
  /** The other side is gone, or speaks nonsense. */
  readonly onLost: (cause: unknown) => void;
}

/** One side of a link. */
export class Link {
  readonly #parts: LinkParts;
  readonly #channels = new Map<number, Channel>();
  #next: number;
  #lost = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#next = parts.firstChannel;
    const reader = new FrameReader(parts.limits);
    parts.socket.on("data", (chunk: Buffer) => {
      if (this.#lost) return;
      try {
        for (const { message, body } of reader.take(chunk)) this.#take(message, body);
      } catch (cause) {
        this.lose(cause);
      }
    });
    parts.socket.on("error", (cause) => this.lose(cause));
    parts.socket.on("close", () => this.lose(new Error("its process is gone")));
  }

  /** Sends a message; to a side that is gone it goes nowhere. */
  send(message: object, body?: Uint8Array): void {
    const { socket } = this.#parts;
    if (this.#lost || socket.destroyed) return;
    for (const part of encodeFrame(message, body)) socket.write(part);
  }

  /** A new channel, of which the other side must be told. */
  open(): Channel {
    const id = this.#next;
    this.#next += 2;
    return this.accept(id);
  }

  /** A channel that the other side has opened. */
  accept(id: number): Channel {
    if (this.#channels.has(id)) throw new Error(`channel ${id} is open already`);
    const channel = new Channel(id, (message, body) => this.send(message, body));
    this.#channels.set(id, channel);
    channel.on("close", () => this.#channels.delete(id));
    // A channel that was given up: whoever uses it hears of its close.
    channel.on("error", () => undefined);
    return channel;
  }

  /** How many channels are open. */
  get channels(): number {
    return this.#channels.size;
  }

  /** No more is heard or said. */
  lose(cause: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const channel of this.#channels.values()) channel.destroy();
    this.#parts.socket.destroy();
    this.#parts.onLost(cause);
  }

  #take(message: unknown, body: Uint8Array): void {
    if (typeof message !== "object" || message === null) throw new Error("a frame without a message");
    if (isChannels(message)) this.#channels.get(message.channel)?.heard(message, body);
    else this.#parts.onMessage(message, body);
  }
}

function isChannels(message: object): message is ChannelMessage {
  if (!("type" in message) || !("channel" in message)) return false;
  switch (message.type) {
    case "taken":
      return "bytes" in message && typeof message.bytes === "number" && message.bytes >= 0;
    case "data":
    case "end":
    case "reset":
      return true;
    default:
      return false;
  }
}
