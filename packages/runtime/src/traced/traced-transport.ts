/**
 * TracedTransport: the calls of an actor whose code runs elsewhere, made in the scope that the code says.
 *
 * What it says decides only whose the events of its calls are. A plugin says none but what it was told or made, which its session sees
 * to; a host process of the program that lies about it spoils a trace, and nothing else.
 */
import type {
  ActorTarget,
  ClientLink,
  ClientTransport,
  QueueSend,
  TransportCallOptions,
  TransportConnectOptions,
} from "@troupe/client";
import type { SendOutcome } from "@troupe/protocol";
import type { Relay, Scope } from "@troupe/relay";
import { parentOf } from "./tracing.ts";

/** Makes calls in a scope. */
export class TracedTransport implements ClientTransport {
  readonly #relay: Relay;
  readonly #scope: Scope;
  readonly #transport: ClientTransport;

  constructor(relay: Relay, trace: string, transport: ClientTransport) {
    this.#relay = relay;
    this.#scope = parentOf(relay, trace === "" ? undefined : trace);
    this.#transport = transport;
  }

  action(
    target: ActorTarget,
    name: string,
    args: readonly unknown[],
    options: TransportCallOptions,
  ): Promise<unknown> {
    return this.#in(() => this.#transport.action(target, name, args, options));
  }

  send(target: ActorTarget, message: QueueSend, options: TransportCallOptions): Promise<SendOutcome> {
    return this.#in(() => this.#transport.send(target, message, options));
  }

  resolve(target: ActorTarget, options: TransportCallOptions): Promise<string> {
    return this.#in(() => this.#transport.resolve(target, options));
  }

  connect(target: ActorTarget, options: TransportConnectOptions): Promise<ClientLink> {
    return this.#in(() => this.#transport.connect(target, options));
  }

  #in<R>(fn: () => R): R {
    return this.#relay.withScopeStack(this.#scope, fn);
  }
}
