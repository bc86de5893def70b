/**
 * The raw sockets of one carried activation: the runtime's end.
 *
 *   asked ──SocketAccept──▶ open ──either side closes, the actor stops──▶ closed
 *      └── SocketAccept with an error, the actor stops ──▶ refused
 *
 * The code has its own end, with hooks, listeners and a backlog; here messages only pass, in order each way. What the
 * client says goes to the code at once. What the code says is an output: it leaves when what was written before it is
 * durable. When the gate breaks the client hears 1011.
 */
import type { TroupeError } from "@troupe/base";
import { closeCodes, limits, type Message } from "@troupe/protocol";
import {
  encodePayload,
  NO_PAYLOAD,
  type SocketClose,
  type SocketMessage,
  type SocketOpen,
} from "@troupe/protocol/actor/v1";
import { actorErrors, messageErrors } from "../../errors.ts";
import { type CloseReason, closeCodeOf } from "../../ports/instance.ts";
import { Output } from "../../ports/output.ts";
import type { RawSocket, RawSocketRequest } from "../../ports/raw.ts";
import type { CarriedActivation } from "./activation.ts";

/** Opens, finds and closes raw sockets. */
export class Sockets {
  readonly #activation: CarriedActivation;
  readonly #asked = new Map<number, RawSocketRequest>();
  readonly #open = new Map<number, CarriedSocket>();
  #last = 0;

  constructor(activation: CarriedActivation) {
    this.#activation = activation;
  }

  /** Asks the code. Never throws. */
  open(request: RawSocketRequest): void {
    const { declaration, work } = this.#activation;
    if (!declaration.sockets) {
      request.refused(actorErrors.noHandler(declaration.name, "onWebSocket"));
      return;
    }
    let value: SocketOpen;
    try {
      value = this.#describe(request);
    } catch (cause) {
      request.refused(cause);
      return;
    }
    work.begin("connection");
    this.#asked.set(value.socket, request);
    this.#activation.say({ $case: "socketOpen", value });
  }

  /** The code's answer. One to a socket that isn't asked about is nobody's. */
  answered(number: number, error: TroupeError | undefined): void {
    const request = this.#asked.get(number);
    if (request === undefined) return;
    this.#asked.delete(number);
    if (error !== undefined) {
      this.#activation.work.end("connection");
      void this.#refuse(request, error);
      return;
    }
    const socket = new CarriedSocket(number, { activation: this.#activation, request, sockets: this });
    this.#open.set(number, socket);
    request.opened(socket);
  }

  /** A message of the code. Throws `message.outgoing_too_long`. */
  message({ socket, content }: SocketMessage): void {
    if (content !== undefined) this.#open.get(socket)?.send(content.value);
  }

  /** The code ends a socket. */
  close({ socket, code, reason }: SocketClose): void {
    this.#open.get(socket)?.end(code, reason);
  }

  /** One has ended. */
  remove(number: number): void {
    if (this.#open.delete(number)) this.#activation.work.end("connection");
  }

  /** Nobody who waits is taken any more. */
  refuseAll(error: TroupeError): void {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const request of asked) {
      this.#activation.work.end("connection");
      request.refused(error);
    }
  }

  closeAll(reason: CloseReason): void {
    for (const socket of [...this.#open.values()]) socket.stopped(reason);
  }

  #describe(request: RawSocketRequest): SocketOpen {
    this.#last += 1;
    const { url, headers } = request.request();
    const { encoding } = this.#activation;
    return {
      socket: this.#last,
      url,
      headers: [...headers].map(([name, value]) => ({ name, value })),
      params: request.params === undefined ? NO_PAYLOAD : encodePayload(request.params, encoding),
      protocol: request.protocol,
    };
  }

  /** What refused may depend on what isn't durable yet. */
  async #refuse(request: RawSocketRequest, error: TroupeError): Promise<void> {
    const durable = await this.#activation.durable().then(
      () => true,
      () => false,
    );
    request.refused(durable ? error : actorErrors.stopping());
  }
}

/** The gateway's end of one, while the code has it. */
class CarriedSocket implements RawSocket {
  readonly maxIncomingBytes: number;
  readonly #number: number;
  readonly #activation: CarriedActivation;
  readonly #request: RawSocketRequest;
  readonly #sockets: Sockets;
  readonly #maxOutgoingBytes: number;

  constructor(
    number: number,
    of: { activation: CarriedActivation; request: RawSocketRequest; sockets: Sockets },
  ) {
    const { maxIncomingMessageSize, maxOutgoingMessageSize } = of.activation.descriptor.options;
    this.#number = number;
    this.#activation = of.activation;
    this.#request = of.request;
    this.#sockets = of.sockets;
    this.maxIncomingBytes = maxIncomingMessageSize;
    this.#maxOutgoingBytes = Math.min(maxOutgoingMessageSize, limits.outgoingMessageBytes);
  }

  message(data: Message): void {
    if (this.#activation.phase.tag !== "running") {
      // Nobody hears it any more, and the client is told so.
      this.end(closeCodes.restart, "actor.restarting");
      return;
    }
    const content =
      typeof data === "string"
        ? { $case: "text" as const, value: data }
        : { $case: "data" as const, value: data };
    this.#activation.say({ $case: "socketMessage", value: { socket: this.#number, content } });
  }

  closed(code: number, reason: string): void {
    this.#sockets.remove(this.#number);
    this.#activation.say({ $case: "socketClose", value: { socket: this.#number, code, reason } });
  }

  /** Throws `message.outgoing_too_long`. */
  send(said: Message): void {
    // Never the carrier's own buffer: that is used again.
    const message = typeof said === "string" ? said : said.slice();
    if (message.length > this.#maxOutgoingBytes)
      throw messageErrors.outgoingTooLong(message.length, this.#maxOutgoingBytes);
    this.#emit(message.length, () => this.#request.peer.send(message));
  }

  end(code: number, reason: string): void {
    this.#emit(64, () => this.#request.peer.close(code, reason));
  }

  stopped(reason: CloseReason): void {
    this.#sockets.remove(this.#number);
    const close = (): void => this.#request.peer.close(closeCodeOf(reason), reason.text);
    if (reason.kind === "broken") close();
    // Behind what the code has said.
    else this.#emit(64, close);
  }

  #emit(bytes: number, release: () => void): void {
    const fail = ({ group, code }: TroupeError): void =>
      this.#request.peer.close(closeCodes.internal, `${group}.${code}`);
    this.#activation.emit(new SocketOutput(bytes, release, fail));
  }
}

/** Something that leaves on a raw socket. */
class SocketOutput extends Output {
  readonly bytes: number;
  readonly #release: () => void;
  readonly #fail: (error: TroupeError) => void;

  constructor(bytes: number, release: () => void, fail: (error: TroupeError) => void) {
    super();
    this.bytes = bytes;
    this.#release = release;
    this.#fail = fail;
  }

  release(): void {
    this.#release();
  }

  fail(error: TroupeError): void {
    this.#fail(error);
  }
}
