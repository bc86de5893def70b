/**
 * The raw sockets of one guest's actor: their clients are at the host, and messages pass the line.
 */
import type { Message } from "@troupe/protocol";
import type { SocketClose, SocketMessage, SocketOpen } from "@troupe/protocol/actor/v1";
import type { SocketClient } from "../ports/hibernation.ts";
import type { ActorInstance } from "../ports/instance.ts";
import type { RawPeer, RawSocket } from "../ports/raw.ts";
import { payloadValue, restored } from "./guest-connections.ts";
import type { ReplyVoice } from "./guest-output.ts";

/** Sockets by the host's numbers. */
export class GuestSockets {
  readonly #voice: ReplyVoice;
  /** `undefined`: the actor's connect hooks run. */
  readonly #open = new Map<number, RawSocket | undefined>();
  /** Those that the activation has let go of. */
  readonly #left = new Set<number>();

  constructor(voice: ReplyVoice) {
    this.#voice = voice;
  }

  /** Those that stay while the actor sleeps. */
  get left(): number[] {
    return [...this.#left];
  }

  open(instance: ActorInstance, opening: SocketOpen): void {
    const { socket: number, id, url, headers, params, protocol, stays } = opening;
    this.#open.set(number, undefined);
    const client = this.client(number);
    instance.open({
      kind: "socket",
      ...(id === "" ? {} : { id }),
      params: payloadValue(params),
      request: () => new Request(url, { headers: headers.map(({ name, value }) => [name, value]) }),
      protocol,
      peer: client.peer,
      client: stays ? client : undefined,
      opened: (socket) => this.#opened(number, socket),
      refused: (cause) => {
        this.#open.delete(number);
        const error = this.#voice.error(cause);
        this.#voice.say({ $case: "socketAccept", value: { socket: number, error, stays: false } });
      },
    });
  }

  /** From the client. The host says nothing before it has the actor's answer. */
  message({ socket, content, index }: SocketMessage): void {
    if (content !== undefined) this.#open.get(socket)?.message(owned(content.value), index || undefined);
  }

  closed({ socket: number, code, reason }: SocketClose): void {
    const socket = this.#open.get(number);
    this.#open.delete(number);
    socket?.closed(code, reason);
  }

  /** The host's end of one, also of one that an earlier activation has left. */
  client(number: number): SocketClient {
    return {
      kind: "socket",
      peer: this.#peer(number),
      hibernate: () => {
        this.#left.add(number);
        return true;
      },
      known: (kept) => this.#voice.say(restored({ connection: 0, socket: number }, kept)),
      unknown: () => {},
      resumed: (_instance, socket) => void this.#open.set(number, socket),
    };
  }

  #peer(number: number): RawPeer {
    return {
      send: (data) => this.#send(number, data),
      close: (code, reason) => {
        this.#left.delete(number);
        this.#voice.say({ $case: "socketClose", value: { socket: number, code, reason } });
      },
      acknowledge: (index) =>
        this.#voice.say({ $case: "socketAcknowledge", value: { socket: number, index } }),
      // What waits is at the host, and counted there.
      bufferedBytes: 0,
    };
  }

  #opened(number: number, socket: RawSocket): void {
    this.#open.set(number, socket);
    const stays = socket.hibernatable === true;
    this.#voice.say({ $case: "socketAccept", value: { socket: number, error: undefined, stays } });
  }

  #send(number: number, data: Message): void {
    const content =
      typeof data === "string"
        ? { $case: "text" as const, value: data }
        : { $case: "data" as const, value: data };
    this.#voice.say({ $case: "socketMessage", value: { socket: number, content, index: 0 } });
  }
}

/** The bytes are the actor's from now on; the line's are used again. */
function owned(message: Message): Message {
  return typeof message === "string" ? message : message.slice();
}
