/**
 * FrameStream: what one side of a session has said about actors and has heard, over all links that the session has had.
 *
 *   attached ──detach──▶ detached ──resume──▶ attached
 *
 * A link loses what is under way when it breaks, and neither side knows how much that was. So both count. What is said
 * is kept until the other side says that it has read it; on the next link each side tells how much it has read, and the
 * other one sends the rest again. What was read is never sent again, so nothing comes twice; what wasn't is there, so
 * nothing is lost. Frames are never numbered on the wire: a link keeps their order.
 *
 * What is kept is bounded. Past the bound the oldest frames are forgotten, and a session whose other side lacks one of
 * them can't be resumed. Frames that never went to any link are known: whoever waits for their answers may be told that
 * nothing of it was done.
 */
import { limits } from "@troupe/protocol";
import type { Link } from "../ports/transport.ts";

/** The other side is told after so many frames, or bytes, and with each heartbeat. */
const ACKNOWLEDGE_FRAMES = 64;
const ACKNOWLEDGE_BYTES = 512 * 1024;

/** One side's stream. `Note`: what this side keeps beside a frame, of those that somebody must be told about. */
export class FrameStream<Note = never> {
  /** False: the other side can't resume, and nothing is kept. */
  readonly #keeps: boolean;
  readonly #acknowledge: (received: number) => Uint8Array;
  #link: Link | undefined;
  /** Frames that were said and that the other side may not have read, oldest first. */
  readonly #kept: Uint8Array[] = [];
  /** By frame. */
  readonly #notes = new WeakMap<Uint8Array, Note>();
  #keptBytes = 0;
  /** Frames that are kept no more: the other side has read them, or there was no room. */
  #forgotten = 0;
  /** Frames that were given to a link. */
  #sent = 0;
  #received = 0;
  #receivedBytes = 0;
  /** What the other side was told of `#received`. */
  #told = 0;

  /** `acknowledge` encodes the message that tells the other side how much was read. */
  constructor(options: { readonly keeps: boolean; readonly acknowledge: (received: number) => Uint8Array }) {
    this.#keeps = options.keeps;
    this.#acknowledge = options.acknowledge;
  }

  /** Frames that were read. */
  get received(): number {
    return this.#received;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  /** Frames that never went to a link, in order. */
  get unsent(): readonly Uint8Array[] {
    return this.#kept.slice(Math.max(0, this.#sent - this.#forgotten));
  }

  /** The notes of frames that never went to a link, in order. */
  get unsentNotes(): readonly Note[] {
    return this.unsent.map((frame) => this.#notes.get(frame)).filter((note) => note !== undefined);
  }

  /** The session's first link. */
  attach(link: Link): void {
    this.#link = link;
  }

  /** The link is lost: what is said waits for the next one. */
  detach(): void {
    this.#link = undefined;
  }

  /** Sends a frame, or keeps it for the next link. */
  say(frame: Uint8Array, note?: Note): void {
    if (!this.#keeps) {
      this.#link?.send(frame);
      return;
    }
    this.#kept.push(frame);
    if (note !== undefined) this.#notes.set(frame, note);
    this.#keptBytes += frame.byteLength;
    while (this.#keptBytes > limits.hostUnreadBytes) this.#forgetOldest();
    if (this.#link === undefined) return;
    this.#sent += 1;
    this.#link.send(frame);
  }

  /** A frame was read. */
  heard(bytes: number): void {
    this.#received += 1;
    this.#receivedBytes += bytes;
    if (!this.#keeps) return;
    if (this.#received - this.#told < ACKNOWLEDGE_FRAMES && this.#receivedBytes < ACKNOWLEDGE_BYTES) return;
    this.#link?.send(this.#acknowledge(this.tells()));
  }

  /** How much was read, for a message that tells the other side so. */
  tells(): number {
    this.#told = this.#received;
    this.#receivedBytes = 0;
    return this.#keeps ? this.#received : 0;
  }

  /** The other side has read so many frames. */
  acknowledged(received: number): void {
    const read = this.#kept.splice(0, Math.max(0, received - this.#forgotten));
    for (const frame of read) this.#keptBytes -= frame.byteLength;
    this.#forgotten += read.length;
  }

  /** True when everything is there that the other side lacks, which has read `received` frames. */
  canResume(received: number): boolean {
    return this.#keeps && received >= this.#forgotten && received <= this.#sent;
  }

  /** Another link: what the other side hasn't read goes there, in order. */
  resume(link: Link, received: number): void {
    this.#link = link;
    this.acknowledged(received);
    this.#sent = this.#forgotten + this.#kept.length;
    for (const frame of this.#kept) link.send(frame);
  }

  #forgetOldest(): void {
    const frame = this.#kept.shift();
    this.#keptBytes -= frame?.byteLength ?? 0;
    this.#forgotten += 1;
  }
}
