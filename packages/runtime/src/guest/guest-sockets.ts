/**
 * The raw sockets of one guest's actor: their clients are at the host, and messages pass the line.
 */
import type { Message } from "@troupe/protocol";
import {
  decodePayload,
  type SocketClose,
  type SocketMessage,
  type SocketOpen,
} from "@troupe/protocol/actor/v1";
import type { ActorInstance } from "../ports/instance.ts";
import type { RawSocket } from "../ports/raw.ts";
import type { ReplyVoice } from "./guest-output.ts";

/** Sockets by the host's numbers. */
export class GuestSockets {
  readonly #voice: ReplyVoice;
  /** `undefined`: the actor's connect hooks run. */
  readonly #open = new Map<number, RawSocket | undefined>();

  constructor(voice: ReplyVoice) {
    this.#voice = voice;
  }

  open(instance: ActorInstance, { socket: number, url, headers, params, protocol }: SocketOpen): void {
    this.#open.set(number, undefined);
    instance.open({
      kind: "socket",
      params: params.byteLength === 0 ? undefined : decodePayload(params, "cbor"),
      request: () => new Request(url, { headers: headers.map(({ name, value }) => [name, value]) }),
      protocol,
      peer: {
        send: (data) => this.#send(number, data),
        close: (code, reason) =>
          this.#voice.say({ $case: "socketClose", value: { socket: number, code, reason } }),
        // What waits is at the host, and counted there.
        bufferedBytes: 0,
      },
      opened: (socket) => this.#opened(number, socket),
      refused: (cause) => {
        this.#open.delete(number);
        this.#voice.say({
          $case: "socketAccept",
          value: { socket: number, error: this.#voice.error(cause) },
        });
      },
    });
  }

  /** From the client. The host says nothing before it has the actor's answer. */
  message({ socket, content }: SocketMessage): void {
    if (content !== undefined) this.#open.get(socket)?.message(owned(content.value));
  }

  closed({ socket: number, code, reason }: SocketClose): void {
    const socket = this.#open.get(number);
    this.#open.delete(number);
    socket?.closed(code, reason);
  }

  #opened(number: number, socket: RawSocket): void {
    this.#open.set(number, socket);
    this.#voice.say({ $case: "socketAccept", value: { socket: number, error: undefined } });
  }

  #send(number: number, data: Message): void {
    const content =
      typeof data === "string"
        ? { $case: "text" as const, value: data }
        : { $case: "data" as const, value: data };
    this.#voice.say({ $case: "socketMessage", value: { socket: number, content } });
  }
}

/** The bytes are the actor's from now on; the line's are used again. */
function owned(message: Message): Message {
  return typeof message === "string" ? message : message.slice();
}
