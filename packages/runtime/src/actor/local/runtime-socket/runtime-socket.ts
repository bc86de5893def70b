/**
 * RuntimeSocket: an actor's door for processes of its machine: those that it starts itself.
 *
 * It is there from the first time that the actor asks for it until the activation begins to stop. Who knows the path and the
 * token is in; the path is of a folder that other users can't enter.
 */
import type { Env } from "@troupe/base";
import { engineLimits } from "@troupe/protocol";
import { actorErrors } from "../../../errors.ts";
import type { LocalDoor, LocalSocket, LocalSockets } from "../../../ports/local-sockets.ts";
import { runtimeSocketErrors } from "../../../runtime-socket/errors.ts";
import { RUNTIME_SOCKET_PATH, RUNTIME_SOCKET_TOKEN } from "../../../runtime-socket/frames.ts";
import type { RuntimeSocketAddress } from "../../types/runtime-socket.ts";
import type { Activation } from "../activation.ts";
import type { OpenRuntimeSocket, RuntimeDoor } from "../activation-services.ts";
import { RuntimeSession } from "./session.ts";

/** The door of one activation. */
export class RuntimeSocket implements RuntimeDoor {
  readonly #activation: Activation;
  readonly #env: Env;
  readonly #sockets: LocalSockets;
  readonly #token: string;
  readonly #sessions = new Set<RuntimeSession>();
  #address: Promise<RuntimeSocketAddress> | undefined;
  #door: LocalDoor | undefined;

  constructor(activation: Activation, env: Env, sockets: LocalSockets) {
    this.#activation = activation;
    this.#env = env;
    this.#sockets = sockets;
    this.#token = env.ids.random();
  }

  /** Where it is; opened once. Rejects with `actor.stopping`. */
  address(): Promise<RuntimeSocketAddress> {
    this.#address ??= this.#open();
    return this.#address;
  }

  async #open(): Promise<RuntimeSocketAddress> {
    const { abort } = this.#activation;
    if (abort.signal.aborted) throw actorErrors.stopping();
    const door = await this.#sockets.open((socket) => this.#accept(socket));
    this.#door = door;
    if (abort.signal.aborted) this.#close();
    else abort.signal.addEventListener("abort", () => this.#close(), { once: true });
    const token = this.#token;
    const { path } = door;
    return { path, token, env: { [RUNTIME_SOCKET_PATH]: path, [RUNTIME_SOCKET_TOKEN]: token } };
  }

  #accept(socket: LocalSocket): void {
    const session = new RuntimeSession({
      ...{ env: this.#env, socket, activation: this.#activation, token: this.#token },
      ended: (ended) => this.#sessions.delete(ended),
    });
    this.#sessions.add(session);
    if (this.#sessions.size > engineLimits.runtimeSocketConnections)
      session.refuse(runtimeSocketErrors.tooMany(engineLimits.runtimeSocketConnections));
  }

  /** The activation stops: what is open is rolled back, and who is connected is told. */
  #close(): void {
    this.#door?.close();
    for (const session of [...this.#sessions]) session.refuse(runtimeSocketErrors.ended());
  }
}

/** Doors where there are sockets for them. */
export function runtimeSocketsOver(sockets: LocalSockets | undefined): OpenRuntimeSocket | undefined {
  if (sockets === undefined) return undefined;
  return (activation, env) => new RuntimeSocket(activation, env, sockets);
}
