/**
 * Streamed results by each door: who gets the items of a call, and how they are encoded.
 */
import type { TroupeError } from "@troupe/base";
import { ItemQueue, ResultStream } from "@troupe/client";
import {
  cloneValue,
  type Encoding,
  encodeItem,
  encodeServerFrame,
  encodeStreamPart,
  limits,
  type Message,
  type StreamPart,
  toWireError,
} from "@troupe/protocol";
import { notRetryable, requestErrors, streamErrors } from "../errors.ts";
import type { FlowControl, FlowSink } from "../ports/flow.ts";
import { FunctionOutput, type Output } from "../ports/output.ts";
import type { ByteSource } from "../ports/raw.ts";
import { localError } from "./local-error.ts";

/** What a flow over a socket is made of. */
export interface SocketFlowParts {
  readonly id: number;
  readonly encoding: Encoding;
  post(message: Message): void;
  /** Throws `message.outgoing_too_long`. */
  check(message: Message): void;
  encodeError(error: unknown): Message;
  /** The result is over. */
  ended(): unknown;
}

/** Items as frames of a socket. */
export class SocketFlow implements FlowSink<unknown> {
  readonly #parts: SocketFlowParts;
  readonly #failed = (error: TroupeError): void => this.#finish(this.#parts.encodeError(notRetryable(error)));
  #over = false;

  constructor(parts: SocketFlowParts) {
    this.#parts = parts;
  }

  item(item: unknown): Output {
    const { id, encoding } = this.#parts;
    const message = encodeItem(id, item, encoding);
    this.#parts.check(message);
    return new FunctionOutput(message.length, () => this.#post(message), this.#failed);
  }

  end(): Output {
    const { id, encoding } = this.#parts;
    const message = encodeServerFrame({ kind: "end", id }, encoding);
    return new FunctionOutput(message.length, () => this.#finish(message), this.#failed);
  }

  error(cause: unknown): Output {
    const message = this.#parts.encodeError(cause);
    return new FunctionOutput(message.length, () => this.#finish(message), this.#failed);
  }

  #post(message: Message): void {
    if (!this.#over) this.#parts.post(message);
  }

  #finish(message: Message): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.ended();
    this.#parts.post(message);
  }
}

/** What a flow over HTTP is made of. */
export interface HttpFlowParts {
  readonly encoding: Encoding;
  readonly control: FlowControl;
  /** Throws `message.outgoing_too_long`. */
  check(bytes: Uint8Array): void;
  /** The first item leaves: the answer begins. */
  begin(body: ByteSource): void;
  /** The first that leaves is an error: the answer is its own. */
  refuse(error: unknown): void;
  /** The id of the line in the log, for what callers don't get to see. */
  report(error: unknown): string | undefined;
}

/** Items as parts of an HTTP body, made no faster than they are read. */
export class HttpFlow implements FlowSink<unknown>, ByteSource {
  readonly #parts: HttpFlowParts;
  readonly #failed = (error: TroupeError): void => this.#fail(notRetryable(error));
  readonly #queue: Uint8Array[] = [];
  #begun = false;
  #over = false;
  #wanted: (() => void) | undefined;

  constructor(parts: HttpFlowParts) {
    this.#parts = parts;
    parts.control.credit(limits.streamItems);
  }

  item(item: unknown): Output {
    const bytes = this.#encode({ kind: "item", item });
    this.#parts.check(bytes);
    return new FunctionOutput(bytes.byteLength, () => this.#push(bytes), this.#failed);
  }

  end(): Output {
    const bytes = this.#encode({ kind: "end" });
    return new FunctionOutput(bytes.byteLength, () => this.#finish(bytes), this.#failed);
  }

  error(cause: unknown): Output {
    return new FunctionOutput(64, () => this.#fail(cause), this.#failed);
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#queue.length === 0) {
      if (this.#over) return undefined;
      await new Promise<void>((wanted) => {
        this.#wanted = wanted;
      });
    }
    const [first, ...more] = this.#queue.splice(0);
    this.#parts.control.credit(1 + more.length);
    return first === undefined || more.length === 0 ? first : joined([first, ...more]);
  }

  /** The client is gone. */
  cancel(): void {
    this.#parts.control.cancel(requestErrors.clientGone());
    this.#over = true;
    this.#wanted?.();
  }

  #encode(part: StreamPart): Uint8Array {
    return encodeStreamPart(part, this.#parts.encoding);
  }

  #push(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#queue.push(bytes);
    if (!this.#begun) {
      this.#begun = true;
      this.#parts.begin(this);
    }
    this.#wanted?.();
  }

  #finish(bytes: Uint8Array): void {
    this.#push(bytes);
    this.#over = true;
  }

  #fail(cause: unknown): void {
    if (this.#over) return;
    if (!this.#begun) {
      this.#over = true;
      this.#parts.refuse(cause);
      return;
    }
    const error = toWireError(cause, false, this.#parts.report(cause));
    this.#finish(this.#encode({ kind: "error", error }));
  }
}

/** Items for another actor of this process: copied, never shared. */
export class LocalFlow implements FlowSink<unknown> {
  readonly #queue: ItemQueue;
  readonly #settle: { resolve: (stream: unknown) => void; reject: (error: unknown) => void };
  readonly #failed = (error: TroupeError): void => this.#fail(notRetryable(error));
  #begun = false;

  constructor(
    control: FlowControl,
    settle: {
      resolve: (stream: unknown) => void;
      reject: (error: unknown) => void;
      /** Runs a task behind the turn: two actors that never wait must not keep the event loop to themselves. */
      afterTurn: (task: () => void) => void;
    },
  ) {
    this.#settle = settle;
    const sender = {
      taken: (items: number) => settle.afterTurn(() => control.credit(items)),
      cancelled: (reason: unknown) => control.cancel(reason ?? streamErrors.cancelled()),
    };
    this.#queue = new ItemQueue(sender, limits.streamItemsLocal);
    control.credit(limits.streamItemsLocal);
  }

  item(item: unknown): Output {
    const copy = cloneValue(item, "item");
    return new FunctionOutput(256, () => this.#begin().push(copy), this.#failed);
  }

  end(): Output {
    return new FunctionOutput(16, () => this.#begin().end(), this.#failed);
  }

  error(cause: unknown): Output {
    return new FunctionOutput(64, () => this.#fail(cause), this.#failed);
  }

  #begin(): ItemQueue {
    if (!this.#begun) {
      this.#begun = true;
      this.#settle.resolve(new ResultStream(this.#queue));
    }
    return this.#queue;
  }

  #fail(cause: unknown): void {
    if (this.#begun) this.#queue.fail(localError(cause));
    else this.#settle.reject(localError(cause));
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((bytes, chunk) => bytes + chunk.byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
