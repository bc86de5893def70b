/**
 * PortSocket: a WebSocket to a port on which a process of the sandbox listens, joined to the WebSocket of somebody outside.
 *
 *   connecting ──the server inside agrees──▶ joined ──either side closes, or the address is taken back──▶ over
 *
 * Messages pass both ways, in order; what the outside says before the inside has agreed waits in the outside's socket. Either side's close
 * code and reason reach the other. A side that is gone without a word is told of as such: inside the connection breaks, outside it closes
 * with 1014. Who doesn't read is not read for either: the inside is paused while the outside has unsent bytes.
 */
import { TroupeError } from "@troupe/base";
import { closeCodes, limits } from "@troupe/protocol";
import type { UniversalWebSocket } from "@troupe/runtime";
import { WebSocket } from "ws";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { portErrors } from "./errors.ts";
import { passedOn } from "./port-request.ts";

/** What is asked. */
export interface PortSocketRequest {
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The subprotocol that was agreed on outside; empty for none. The server inside must agree on it, too. */
  readonly protocol: string;
}

/** No answer can be used: RFC 6455's registry has it for gateways. */
const BAD_GATEWAY = 1014;
/** Unsent bytes outside from which the inside isn't read. */
const UNSENT_BYTES = 1024 * 1024;
const LOOK_MS = 20;

/** One joined pair of sockets. */
export class PortSocket {
  readonly #outside: UniversalWebSocket;
  readonly #port: number;
  #inside: WebSocket | undefined;
  #over = false;

  constructor(outside: UniversalWebSocket, port: number) {
    this.#outside = outside;
    this.#port = port;
    outside.addEventListener("close", ({ code, reason }) => this.#leave(code, reason));
  }

  /** Connects the inside; settles when messages pass, or the outside is closed because they can't. Never rejects. */
  async join(place: () => Promise<Sandbox>, request: PortSocketRequest): Promise<void> {
    try {
      const connection = await (await place()).connect(this.#port);
      if (this.#over) return void connection.destroy();
      const inside = new WebSocket(`ws://localhost:${this.#port}${request.path}`, offer(request.protocol), {
        createConnection: () => connection,
        headers: passedOn(request.headers),
        maxPayload: limits.portAnswerBytes,
        perMessageDeflate: false,
      });
      this.#inside = inside;
      this.#hear(inside);
      await opened(inside, this.#port);
      this.#outside.addEventListener("message", ({ data }) => this.#say(inside, data));
    } catch (cause) {
      const known = TroupeError.is(cause) ? cause : portErrors.closed(this.#port, cause);
      this.end(known, BAD_GATEWAY);
    }
  }

  /** Ends both sides for a reason of ours. */
  end({ group, code: name }: TroupeError, code: number): void {
    if (this.#over) return;
    this.#over = true;
    const reason = `${group}.${name}`;
    this.#outside.close(code, reason);
    this.#inside?.close(code, reason);
  }

  /** The outside is gone. */
  #leave(code: number, reason: string): void {
    this.#over = true;
    const inside = this.#inside;
    if (inside === undefined || inside.readyState === WebSocket.CLOSED) return;
    if (code === 1005) inside.close();
    else if (sendable(code)) inside.close(code, reason);
    else inside.terminate();
  }

  #hear(inside: WebSocket): void {
    inside.on("message", (data, binary) => {
      if (this.#over) return;
      const bytes = bytesOf(data);
      this.#outside.send(binary ? bytes : bytes.toString());
      if (this.#outside.bufferedAmount > UNSENT_BYTES) this.#wait(inside);
    });
    inside.on("error", (cause) => {
      const tooLong = "code" in cause && cause.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
      if (tooLong) this.end(portErrors.messageTooLong(limits.portAnswerBytes), closeCodes.messageTooBig);
    });
    inside.on("close", (code, reason) => {
      if (this.#over) return;
      if (code !== 1005 && !sendable(code))
        return this.end(portErrors.closed(this.#port, undefined), BAD_GATEWAY);
      this.#over = true;
      this.#outside.close(code === 1005 ? 1000 : code, reason.toString());
    });
  }

  #wait(inside: WebSocket): void {
    inside.pause();
    const look = setInterval(() => {
      if (!this.#over && this.#outside.bufferedAmount > UNSENT_BYTES) return;
      clearInterval(look);
      inside.resume();
    }, LOOK_MS);
  }

  #say(inside: WebSocket, data: string | ArrayBuffer): void {
    if (this.#over) return;
    inside.send(data);
    if (inside.bufferedAmount > limits.sendBufferBytes)
      this.end(portErrors.slowReader(this.#port), closeCodes.tryLater);
  }
}

function offer(protocol: string): string[] {
  return protocol === "" ? [] : [protocol];
}

/** Settles when the server inside has agreed. Rejects with `port.timed_out`, or with what it said. */
async function opened(inside: WebSocket, port: number): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      late = setTimeout(reject, limits.networkRequestMs, portErrors.timedOut(port, limits.networkRequestMs));
      inside.once("open", resolve);
      inside.once("error", reject);
      inside.once("close", () => reject(new Error("the connection was closed")));
    });
  } catch (cause) {
    inside.terminate();
    throw cause;
  } finally {
    clearTimeout(late);
  }
}

function bytesOf(data: Buffer | ArrayBuffer | readonly Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.concat([...data]);
}

/** 1005, 1006 and 1015 say that there was no code. */
function sendable(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
