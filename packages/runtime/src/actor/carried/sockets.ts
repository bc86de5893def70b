/**
 * The raw sockets of one carried activation: the runtime's end.
 *
 *   asked ──SocketAccept──▶ open ──either side closes, the actor stops──▶ closed
 *      └── SocketAccept with an error, the actor stops ──▶ refused
 *
 * The code has its own end, with hooks, listeners and a backlog; here messages only pass, in order each way. What the
 * client says goes to the code at once. What the code says is an output: it leaves when what was written before it is
 * durable. When the gate breaks the client hears 1011.
 *
 * Of a socket that stays while the actor sleeps, the gateway keeps each message until the code has acknowledged it. One
 * that the code doesn't hear any more is dropped here: the gateway says it to the next activation. Where the host keeps the
 * code's clients, such a socket has a row, as a connection has.
 */
import type { TroupeError } from "@troupe/base";
import { closeCodes, limits, type Message } from "@troupe/protocol";
import {
  encodePayload,
  fromCarriedError,
  NO_PAYLOAD,
  type SocketAccept,
  type SocketAcknowledge,
  type SocketClose,
  type SocketMessage,
  type SocketOpen,
} from "@troupe/protocol/actor/v1";
import { actorErrors, messageErrors } from "../../errors.ts";
import type { HibernatingClient, SocketClient } from "../../ports/hibernation.ts";
import { type CloseReason, closeCodeOf } from "../../ports/instance.ts";
import { FunctionOutput } from "../../ports/output.ts";
import type { RawPeer, RawSocket, RawSocketRequest } from "../../ports/raw.ts";
import type { HasRow, RawAddress } from "../local/connection-rows.ts";
import type { CarriedActivation } from "./activation.ts";
import { mayStay } from "./staying.ts";

/** The client's end of one, and what is stored of it. */
interface Ends {
  readonly id: string;
  readonly params?: unknown;
  readonly raw?: RawAddress | undefined;
  readonly state?: unknown;
  readonly peer: RawPeer;
  /** Absent: it ends with the activation. */
  readonly client: SocketClient | undefined;
}

/** How a socket ended that was gone before anybody could say so. */
const LOST = 1006;

/** Opens, finds and closes raw sockets. */
export class Sockets {
  readonly #activation: CarriedActivation;
  readonly #asked = new Map<
    number,
    { readonly request: RawSocketRequest; readonly id: string; readonly raw: RawAddress }
  >();
  readonly #open = new Map<number, CarriedSocket>();
  #last = 0;

  constructor(activation: CarriedActivation) {
    this.#activation = activation;
  }

  /** Of a socket that is to come. */
  nextNumber(): number {
    this.#last += 1;
    return this.#last;
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
    const { url, headers, protocol } = value;
    const raw = { url, headers: headers.map(({ name, value }) => [name, value] as const), protocol };
    this.#asked.set(value.socket, { request, id: value.id, raw });
    this.#activation.say({ $case: "socketOpen", value });
  }

  /** The code's answer. One to a socket that isn't asked about is nobody's. */
  answered({ socket: number, error, stays }: SocketAccept): void {
    const asked = this.#asked.get(number);
    if (asked === undefined) return;
    const { request, id, raw } = asked;
    this.#asked.delete(number);
    if (error !== undefined) {
      this.#activation.work.end("connection");
      void this.#refuse(request, fromCarriedError(error, this.#activation.encoding));
      return;
    }
    const client = stays && mayStay(this.#activation) ? request.client : undefined;
    const socket = this.restore(number, { id, peer: request.peer, client, params: request.params, raw });
    if (client !== undefined) {
      this.#activation.work.end("connection");
      const { kept } = this.#activation.clients;
      if (kept.here) {
        kept.keep(socket);
        kept.changed(socket);
      }
    }
    request.opened(socket);
  }

  /** It is open; also one that an earlier activation has left. */
  restore(number: number, ends: Ends): CarriedSocket {
    const socket = new CarriedSocket(number, { ...ends, activation: this.#activation, sockets: this });
    this.#open.set(number, socket);
    return socket;
  }

  /** A message of the code. Throws `message.outgoing_too_long`. */
  message({ socket, content }: SocketMessage): void {
    if (content !== undefined) this.#open.get(socket)?.send(content.value);
  }

  /** The code ends a socket. */
  close({ socket, code, reason }: SocketClose): void {
    this.#open.get(socket)?.end(code, reason);
  }

  /** The code has handled a message, and what it wrote is on its way to the disk. */
  acknowledge({ socket, index }: SocketAcknowledge): void {
    this.#open.get(socket)?.acknowledge(index);
  }

  /** One has ended. */
  remove(number: number): void {
    const socket = this.#open.get(number);
    if (socket === undefined) return;
    this.#open.delete(number);
    if (!socket.hibernatable) this.#activation.work.end("connection");
    else if (this.#activation.clients.kept.here) this.#activation.clients.kept.gone(socket.id);
  }

  /** Of one that an earlier activation has left, and that has gone since: the code is told. */
  left(number: number): void {
    const value = { socket: number, code: LOST, reason: "" };
    this.#activation.say({ $case: "socketClose", value });
  }

  /** Lets go of those that stay without the activation, if their clients do; gives them by their ids. */
  hibernate(stays: (number: number) => boolean): (readonly [id: string, client: HibernatingClient])[] {
    return [...this.#open].flatMap(([number, socket]) => {
      const client = stays(number) ? socket.hibernate() : undefined;
      if (client === undefined) return [];
      this.#open.delete(number);
      return [[socket.id, client] as const];
    });
  }

  /** Nobody who waits is taken any more. */
  refuseAll(error: TroupeError): void {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { request } of asked) {
      this.#activation.work.end("connection");
      request.refused(error);
    }
  }

  closeAll(reason: CloseReason): void {
    for (const socket of [...this.#open.values()]) socket.stopped(reason);
  }

  #describe(request: RawSocketRequest): SocketOpen {
    const { url, headers } = request.request();
    const { encoding, env } = this.#activation;
    const keeps =
      mayStay(this.#activation) && this.#activation.descriptor.options.canHibernateWebSocket !== false;
    return {
      socket: this.nextNumber(),
      id: env.ids.random(),
      stays: keeps && request.client !== undefined,
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
class CarriedSocket implements RawSocket, HasRow {
  readonly maxIncomingBytes: number;
  readonly id: string;
  readonly params: unknown;
  readonly raw: RawAddress | undefined;
  readonly subscriptions = [];
  /** The code's own, as it has written it. */
  state: unknown;
  readonly #number: number;
  readonly #activation: CarriedActivation;
  readonly #peer: RawPeer;
  readonly #client: SocketClient | undefined;
  readonly #sockets: Sockets;
  readonly #maxOutgoingBytes: number;
  /** Its end is on its way to the client. */
  #ending = false;

  constructor(number: number, of: Ends & { activation: CarriedActivation; sockets: Sockets }) {
    const { maxIncomingMessageSize, maxOutgoingMessageSize } = of.activation.descriptor.options;
    this.#number = number;
    this.#activation = of.activation;
    this.id = of.id;
    this.params = of.params;
    this.raw = of.raw;
    this.state = of.state;
    this.#peer = of.peer;
    this.#client = of.client;
    this.#sockets = of.sockets;
    this.maxIncomingBytes = maxIncomingMessageSize;
    this.#maxOutgoingBytes = Math.min(maxOutgoingMessageSize, limits.outgoingMessageBytes);
  }

  get hibernatable(): boolean {
    return this.#client !== undefined;
  }

  storedState(): unknown {
    return this.state;
  }

  message(data: Message, index = 0): void {
    if (this.#activation.phase.tag !== "running") {
      // The next activation hears it.
      if (this.hibernatable) return;
      // Nobody hears it any more, and the client is told so.
      this.end(closeCodes.restart, "actor.restarting");
      return;
    }
    const content =
      typeof data === "string"
        ? { $case: "text" as const, value: data }
        : { $case: "data" as const, value: data };
    const { work } = this.#activation;
    // The actor isn't idle just now, though nothing else says so.
    work.begin("hook");
    this.#activation.say({ $case: "socketMessage", value: { socket: this.#number, content, index } });
    work.end("hook");
  }

  /** Behind what the code wrote. */
  acknowledge(index: number): void {
    const release = (): void => this.#peer.acknowledge?.(index);
    this.#activation.emit(new FunctionOutput(16, release, () => {}));
  }

  /** The activation ends without it: gives who keeps it. */
  hibernate(): SocketClient | undefined {
    if (this.#ending || this.#client?.hibernate(this.id) !== true) return undefined;
    return this.#client;
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
    this.#emit(message.length, () => this.#peer.send(message));
  }

  end(code: number, reason: string): void {
    this.#ending = true;
    this.#emit(64, () => this.#peer.close(code, reason));
  }

  stopped(reason: CloseReason): void {
    this.#sockets.remove(this.#number);
    const close = (): void => this.#peer.close(closeCodeOf(reason), reason.text);
    if (reason.kind === "broken") close();
    // Behind what the code has said.
    else this.#emit(64, close);
  }

  #emit(bytes: number, release: () => void): void {
    const fail = ({ group, code }: TroupeError): void => {
      this.#ending = true;
      this.#peer.close(closeCodes.internal, `${group}.${code}`);
    };
    this.#activation.emit(new FunctionOutput(bytes, release, fail));
  }
}
