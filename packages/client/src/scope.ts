/**
 * ClientScope: what the handles of one client share, and what ends with it.
 */
import type { ClientSettings } from "./config.ts";
import { Connection } from "./connection/connection.ts";
import { clientErrors } from "./errors.ts";
import { StatelessCalls } from "./stateless-calls.ts";
import { Tickets } from "./tickets.ts";
import type { ActorTarget } from "./transport.ts";

/** What a new connection is told. */
export interface ConnectOptions {
  readonly params: () => unknown;
  /** Disposes of the connection. */
  readonly signal: AbortSignal | undefined;
}

/** The calls and connections of one client. */
export class ClientScope {
  readonly settings: ClientSettings;
  readonly calls: StatelessCalls;
  readonly tickets: Tickets;
  readonly #connections = new Set<Connection>();
  #disposed = false;

  constructor(settings: ClientSettings) {
    this.settings = settings;
    this.calls = new StatelessCalls(settings.env, settings.retry, settings.transport.attemptsAtOnce);
    this.tickets = new Tickets(settings.env);
  }

  /** A connection that has begun to connect. Throws `client.disposed`. */
  connect(target: ActorTarget, options: ConnectOptions): Connection {
    this.checkOpen();
    const dispose = (): void => void connection.dispose();
    const { env, transport, encoding, reconnect } = this.settings;
    const connection = new Connection({
      env,
      transport,
      target,
      encoding,
      policy: reconnect,
      params: options.params,
      tickets: this.tickets,
      onEnded: () => {
        this.#connections.delete(connection);
        options.signal?.removeEventListener("abort", dispose);
      },
    });
    this.#connections.add(connection);
    if (options.signal?.aborted === true) dispose();
    else connection.start();
    options.signal?.addEventListener("abort", dispose);
    return connection;
  }

  /** Throws `client.disposed`. */
  checkOpen(): void {
    if (this.#disposed) throw clientErrors.disposed();
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.calls.dispose();
    await Promise.all([...this.#connections].map((connection) => connection.dispose()));
  }
}
