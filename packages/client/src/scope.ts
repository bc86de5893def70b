/**
 * ClientScope: what the handles of one client share, and what ends with it.
 */
import { Connection } from "./connection/connection.ts";
import { abandoned, clientErrors, Deadline, ownDeadline } from "./errors.ts";
import type { Handed } from "./member-proxy.ts";
import type { ClientSettings } from "./settings.ts";
import { StatelessCalls } from "./stateless-calls.ts";
import type { ResultStream } from "./stream/result-stream.ts";
import { Tickets } from "./tickets.ts";
import type { ActorTarget } from "./transport.ts";

/** What a new connection is told. */
export interface ConnectOptions {
  readonly params: () => unknown;
  /** Names a call with an idempotency key, where the parameters may change from link to link. */
  readonly callTicket: (() => string) | undefined;
  /** Disposes of the connection. */
  readonly signal: AbortSignal | undefined;
  /** Of its actions, where the client's isn't wanted. */
  readonly actionTimeoutMs: number | undefined;
}

/** What ends a streamed result. */
export interface StreamTerms {
  /** For messages: `Action "tokens"`. */
  readonly what: string;
  readonly signals: readonly (AbortSignal | undefined)[];
  /** All of it may take this long, milliseconds; undefined for no limit. */
  readonly timeoutMs: number | undefined;
  /** When that is over, monotonic. */
  readonly until: number;
}

/** The calls and connections of one client. */
export class ClientScope {
  readonly settings: ClientSettings;
  readonly calls: StatelessCalls;
  readonly tickets: Tickets;
  readonly #connections = new Set<Connection>();
  readonly #streams = new Set<ResultStream>();
  readonly #ignored = new Set<string>();
  #disposed = false;

  constructor(settings: ClientSettings) {
    this.settings = settings;
    this.calls = new StatelessCalls(settings.env, settings.retry, settings.transport.attemptsAtOnce);
    this.tickets = new Tickets(settings.env, settings.transport);
  }

  /** A connection that has begun to connect. Throws `client.disposed`. */
  connect(target: ActorTarget, options: ConnectOptions): Connection {
    this.checkOpen();
    const dispose = (): void => void connection.dispose();
    const { env, transport, encoding, reconnect, retry } = this.settings;
    const actionTimeoutMs = options.actionTimeoutMs ?? this.settings.actionTimeoutMs;
    const connection = new Connection({
      env,
      transport,
      target,
      encoding,
      policy: reconnect,
      times: {
        ...{ repeatMs: retry.deadlineMs, actionTimeoutMs, sendTimeoutMs: reconnect.sendTimeoutMs },
        callTicket: options.callTicket,
      },
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

  /** Gives an answer to the client's user: a promise may be forgotten there. */
  readonly handed: Handed = (answer, what) => {
    if (answer instanceof Promise) this.settings.transport.observed?.(answer, what);
    return answer;
  };

  /** Says once of each option that it has no effect. */
  ignored(options: Readonly<Record<string, unknown>>): void {
    for (const [option, value] of Object.entries(options)) {
      if (value === undefined || this.#ignored.has(option)) continue;
      this.#ignored.add(option);
      this.settings.env.log.warn("an option of a handle has no effect", { option });
    }
  }

  /** A streamed result of a stateless call ends with its caller's time and signals, and with the client. */
  keep(stream: ResultStream, { what, signals, timeoutMs, until }: StreamTerms): void {
    if (this.#disposed) {
      stream.fail(abandoned(what, "unknown", clientErrors.disposed()));
      return;
    }
    const abort = (event: Event): void =>
      stream.fail(abandoned(what, "unknown", (event.target as AbortSignal).reason));
    for (const signal of signals) signal?.addEventListener("abort", abort);
    const { clock, timers } = this.settings.env;
    const tooLate = (): void => stream.fail(abandoned(what, "unknown", new Deadline(timeoutMs ?? 0)));
    const timer =
      timeoutMs === undefined ? undefined : timers.set(tooLate, Math.max(0, until - clock.monotonic()));
    stream.tellErrors((error) => ownDeadline(what, timeoutMs, error));
    this.#streams.add(stream);
    stream.onEnd(() => {
      if (timer !== undefined) timers.clear(timer);
      this.#streams.delete(stream);
      for (const signal of signals) signal?.removeEventListener("abort", abort);
    });
  }

  /** Throws `client.disposed`. */
  checkOpen(): void {
    if (this.#disposed) throw clientErrors.disposed();
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.calls.dispose();
    for (const stream of [...this.#streams]) stream.fail(clientErrors.disposed());
    await Promise.all([...this.#connections].map((connection) => connection.dispose()));
  }
}
