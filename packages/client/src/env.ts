/**
 * ClientEnv: what the client takes from the outside world, a part of the runtime's `Env` and the platform's network.
 * `platform.ts` makes the one of browsers, Node and other fetch platforms.
 */
import type { Clock, Logger, Timers } from "@troupe/base";

/** Given to a client by `createClient({ env })`. */
export interface ClientEnv {
  readonly clock: Pick<Clock, "monotonic">;
  readonly timers: Timers;
  /** A float in [0, 1). */
  readonly random: () => number;
  /**
   * Calls `listener` whenever it is worth trying to connect at once: the network is back, the page is looked at. Gives what
   * ends that. Absent where the platform doesn't know.
   */
  readonly onWake?: (listener: () => void) => () => void;
  /** Gets the errors of connections that nobody listens to. */
  readonly log: Pick<Logger, "warn">;
  /** Needed by the HTTP transport alone. */
  readonly fetch?: FetchPort;
  /** The platform's `fetch` as a whole: needed by `handle.fetch()` and by streamed results alone. */
  readonly streamingFetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Needed by the HTTP transport's connections alone. */
  readonly WebSocket?: WebSocketConstructor;
}

/** The part of `fetch` that is used. */
export type FetchPort = (url: string, init: FetchInit) => Promise<FetchAnswer>;

/** A request: always with all of its body at hand. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** The part of a `Response` that is used. */
export interface FetchAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
  /** Needed for results that come in items alone. */
  readonly body?: ReadableStream<Uint8Array> | null;
}

/** The part of the standard `WebSocket` class that is used; the `ws` package's fits as well. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketPort;

/** The part of a standard WebSocket that is used. */
export interface WebSocketPort {
  /** Set to "arraybuffer". */
  binaryType: string;
  readonly readyState: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: WebSocketPortEvent) => void): void;
}

/** Events of a WebSocket: `message` has data, `close` a code and a reason. */
export interface WebSocketPortEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
}
