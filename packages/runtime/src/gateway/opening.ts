/** The way from a hello to a connection. */
import { TroupeError } from "@troupe/base";
import { encodeWelcome, type Hello, limits, type Message, negotiateVersion } from "@troupe/protocol";
import type { Target } from "../host/actor-host.ts";
import type { ActorConnection, ActorInstance, ConnectRequest } from "../ports/instance.ts";
import { MessageOutput } from "./calls.ts";
import type { GatewayServices } from "./services.ts";

/** What a socket was opened for. */
export interface Door {
  /** The actor, given the input that the hello brings. */
  readonly target: (input: unknown) => Target;
  /** Absent for a client of this process. */
  readonly request: (() => Request) | undefined;
}

/** Who opens a connection. */
export interface Opener extends Pick<ConnectRequest, "sink" | "client" | "request" | "params"> {
  readonly services: GatewayServices;
  readonly target: Target;
  /** Gets the welcome, once it may leave. */
  readonly welcome: (message: Message) => void;
  /** It never will: the gate broke. */
  readonly failed: (error: TroupeError) => void;
}

/** What a client sends before its connection is open, in order and within limits. */
export class OpeningBacklog {
  readonly messages: Message[] = [];
  #bytes = 0;

  /** False: it is too much. */
  add(data: Message): boolean {
    this.#bytes += data.length;
    if (this.messages.length >= limits.openingFrames || this.#bytes > limits.openingBytes) return false;
    this.messages.push(data);
    return true;
  }
}

/** An open connection, and whose it is. */
export interface Opened {
  readonly instance: ActorInstance;
  readonly connection: ActorConnection;
}

/** Wakes the actor and runs its connect hooks. Rejects with what refuses the connection. */
export async function openConnection(hello: Hello, opener: Opener): Promise<Opened> {
  const version = negotiateVersion(hello.versions);
  const { services, target, sink, client, request, params, welcome, failed } = opener;
  const instance = await services.host.load(target);
  const connection = await instance.connect({
    params,
    sink,
    client,
    request,
    opened: (opened) => {
      const message = encodeWelcome({
        kind: "welcome",
        version,
        actorId: instance.record.id,
        connectionId: opened.id,
        heartbeatMs: limits.heartbeatMs,
        maxIncomingBytes: opened.maxIncomingBytes,
      });
      return new MessageOutput({ post: welcome }, message, failed);
    },
  });
  return { instance, connection };
}

/** As it is told: errors that aren't the house's own have been reported before. */
export function asError(cause: unknown, otherwise: () => TroupeError): TroupeError {
  return TroupeError.is(cause) ? cause : otherwise();
}
