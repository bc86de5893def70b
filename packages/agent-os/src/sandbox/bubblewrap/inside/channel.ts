/**
 * Channel: one stream of bytes among many over a link: a process's output, its stdin, a connection.
 *
 * A side sends at most {@link WINDOW} bytes that the other one hasn't taken: a slow reader holds up its own channel and no other, and
 * a side that sends more is broken. A channel is over when both directions have ended, or when either side gives it up: at once, unless
 * that one has said all that it had to say, which is read first.
 */
import { Duplex } from "node:stream";

/** Bytes under way in one direction. */
const WINDOW = 256 * 1024;
const PIECE = 64 * 1024;

/** What channels say to each other. */
export type ChannelMessage =
  | { readonly type: "data"; readonly channel: number }
  | { readonly type: "end"; readonly channel: number }
  | { readonly type: "taken"; readonly channel: number; readonly bytes: number }
  | { readonly type: "reset"; readonly channel: number };

/** Sends to the other side. */
export type SendOnChannel = (message: ChannelMessage, body?: Uint8Array) => void;

/** A stream over a link. */
export class Channel extends Duplex {
  readonly id: number;
  readonly #send: SendOnChannel;
  /** Sent, and not yet taken. */
  #sent = 0;
  #goOn: (() => void) | undefined;
  /** Received, and not yet taken. */
  #received = 0;
  /** The other side has given it up. */
  #gone = false;
  /** It has said all. */
  #heardAll = false;

  constructor(id: number, send: SendOnChannel) {
    super({ allowHalfOpen: true, readableHighWaterMark: PIECE, writableHighWaterMark: PIECE });
    this.id = id;
    this.#send = send;
  }

  /** What the other side has sent of this channel. Throws where it sends more than it may. */
  heard(message: ChannelMessage, body: Uint8Array): void {
    switch (message.type) {
      case "data":
        this.#received += body.byteLength;
        if (this.#received > WINDOW + PIECE) throw new Error("a channel overflows");
        // False: it is taken when somebody reads on.
        if (this.push(body)) this.#taken();
        return;
      case "end":
        this.#heardAll = true;
        this.push(null);
        return;
      case "taken":
        this.#sent = Math.max(this.#sent - message.bytes, 0);
        if (this.#sent < WINDOW) this.#continue();
        return;
      case "reset":
        this.#gone = true;
        if (!this.#heardAll || this.readableEnded) return void this.destroy();
        this.once("end", () => this.destroy());
        this.#continue();
    }
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const next = (from: number): void => {
      if (this.#gone) return done();
      let at = from;
      while (at < chunk.byteLength && this.#sent < WINDOW) {
        const piece = chunk.subarray(at, at + PIECE);
        at += piece.byteLength;
        this.#sent += piece.byteLength;
        this.#send({ type: "data", channel: this.id }, piece);
      }
      if (at < chunk.byteLength) this.#goOn = () => next(at);
      else if (this.#sent >= WINDOW) this.#goOn = done;
      else done();
    };
    next(0);
  }

  override _final(done: () => void): void {
    this.#send({ type: "end", channel: this.id });
    done();
  }

  override _read(): void {
    this.#taken();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const whole = this.readableEnded && this.writableFinished;
    if (!whole && !this.#gone) this.#send({ type: "reset", channel: this.id });
    this.#gone = true;
    done(error);
    this.#continue();
  }

  #taken(): void {
    const bytes = this.#received;
    if (bytes === 0 || this.#gone) return;
    this.#received = 0;
    this.#send({ type: "taken", channel: this.id, bytes });
  }

  #continue(): void {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    if (!this.destroyed) goOn?.();
  }
}
