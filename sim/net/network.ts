/**
 * Network: what is between the clients and the server.
 *
 * It keeps to what real networks and the transport contract allow. A link delivers in order and at most once, until it
 * breaks; a break may lose anything on its way, and each end hears of it at its own time or, half-open, not at all
 * until its own timers say so. HTTP requests overtake each other; a request or its answer may be lost, and the client
 * can't tell which. A connection to a process that isn't there is refused; to a machine without power it isn't.
 */
import type { FetchAnswer, FetchInit, WebSocketConstructor } from "@troupe/client";
import type { Gateway } from "../../packages/runtime/src/gateway/gateway.ts";
import type { GatewayRequest, GatewayResponse } from "../../packages/runtime/src/gateway/http-message.ts";
import type { SimProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";
import { SimSocket } from "./socket.ts";

/** Where requests arrive. */
export interface Door {
  readonly process: SimProcess;
  readonly gateway: Gateway;
}

/** Sees every byte that leaves the server. */
export interface Wiretap {
  leaves(bytes: string | Uint8Array): void;
}

/** Flaws of the network itself, for canaries. */
export interface NetworkFlaws {
  /** A lost answer looks as if the request had never left. */
  readonly deniesRequests?: boolean;
  /** A link delivers some messages twice. */
  readonly doublesMessages?: boolean;
}

/** What the server's headers say that every request was for. */
const HOST = "127.0.0.1:6420";
/** A client waits for an answer at most this long when nothing comes from the server's machine at all. */
const FETCH_TIMEOUT_MS = 300_000;
/** It notices sooner that the machine itself is gone. */
const KEEPALIVE_MS = 20_000;

/** The network of one world. */
export class Network {
  readonly world: World;
  readonly tap: Wiretap;
  readonly flaws: NetworkFlaws;
  readonly random: Random;
  /** The server that listens now. */
  door: Door | undefined;
  /** How the last server went: without power nobody refuses a connection. */
  machine: "up" | "down" = "up";
  readonly #sockets = new Set<SimSocket>();
  /** Idempotency keys of the requests that arrived. */
  readonly #keys = new Set<string>();

  constructor(world: World, tap: Wiretap, flaws: NetworkFlaws) {
    this.world = world;
    this.tap = tap;
    this.flaws = flaws;
    this.random = world.random.fork();
  }

  /** How long a message is under way. */
  latency(): number {
    return this.random.around(this.world.options.latencyMs);
  }

  /** A client's `fetch`. */
  fetchOf(client: SimProcess): (url: string, init: FetchInit) => Promise<FetchAnswer> {
    return (url, init) =>
      new Promise((resolve, reject) => {
        const exchange = new Exchange(this, client, {
          answered: (response) => resolve(fetchAnswer(response)),
          failed: reject,
        });
        exchange.send(url, init);
      });
  }

  /** A client's `WebSocket`. */
  webSocketOf(client: SimProcess): WebSocketConstructor {
    const network = this;
    return class extends SimSocket {
      constructor(url: string) {
        super(network, client, url);
      }
    };
  }

  /** Sockets that the server holds. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Breaks the links of a client's sockets that the server holds. */
  cut(client: SimProcess): void {
    for (const socket of this.#sockets) if (socket.isOf(client)) socket.break();
  }

  /** A socket is open at the server. */
  opened(socket: SimSocket): void {
    this.#sockets.add(socket);
  }

  closed(socket: SimSocket): void {
    this.#sockets.delete(socket);
  }

  /** The server's process died: every link goes with it, with a word or without one. */
  serverDied(power: "kept" | "cut"): void {
    this.door = undefined;
    this.machine = power === "cut" ? "down" : "up";
    const sockets = [...this.#sockets];
    this.#sockets.clear();
    for (const socket of sockets) socket.serverDied(power);
  }

  /** A request arrives. */
  sees(request: GatewayRequest): void {
    const key = request.header("idempotency-key");
    if (key === undefined) return;
    if (this.#keys.has(key)) this.world.counters.add("a request with a key was sent again");
    this.#keys.add(key);
  }

  /** Bytes leave the server. Between two of them it may die. */
  leaves(from: SimProcess, bytes: string | Uint8Array): boolean {
    if (!from.alive) return false;
    this.world.faults.visit("in the middle of the outputs");
    if (!from.alive) return false;
    this.tap.leaves(bytes);
    return true;
  }
}

interface ExchangeEnd {
  readonly answered: (response: GatewayResponse) => void;
  readonly failed: (error: unknown) => void;
}

/** One HTTP request and its answer. */
class Exchange {
  readonly #network: Network;
  readonly #client: SimProcess;
  readonly #end: ExchangeEnd;
  #over = false;

  constructor(network: Network, client: SimProcess, end: ExchangeEnd) {
    this.#network = network;
    this.#client = client;
    this.#end = end;
  }

  send(url: string, init: FetchInit): void {
    const { world } = this.#network;
    if (init.signal?.aborted === true) return this.#fail(new DOMException("aborted", "AbortError"));
    init.signal?.addEventListener("abort", () => this.#fail(new DOMException("aborted", "AbortError")));
    if (world.faults.strikes(world.options.loseRequest)) {
      world.counters.add("HTTP request lost");
      this.#client.later(this.#network.latency(), () => this.#lost());
      return;
    }
    world.later(this.#network.latency(), () => this.#arrive(url, init));
  }

  #arrive(url: string, init: FetchInit): void {
    const network = this.#network;
    const { door } = network;
    if (door === undefined || !door.process.alive) {
      const code = network.machine === "up" ? "ECONNREFUSED" : "UND_ERR_CONNECT_TIMEOUT";
      const delayMs = network.machine === "up" ? network.latency() : 10_000;
      this.#client.later(delayMs, () => this.#fail(new TypeError("fetch failed", { cause: { code } })));
      return;
    }
    const { process, gateway } = door;
    process.onDeath(() => {
      const delayMs = network.machine === "up" ? network.latency() : KEEPALIVE_MS;
      this.#client.later(delayMs, () => this.#lost());
    });
    this.#client.later(FETCH_TIMEOUT_MS, () => this.#lost());
    process.enter(() => {
      const request = gatewayRequest(url, init);
      network.sees(request);
      gateway.admit({ host: HOST, origin: undefined, authorization: undefined, subprotocols: undefined });
      gateway.http(request, (response) => this.#answer(process, response));
    });
  }

  #answer(process: SimProcess, response: GatewayResponse): void {
    const network = this.#network;
    const { faults, options, counters } = network.world;
    if (!network.leaves(process, response.body)) return;
    if (faults.strikes(options.loseAnswer)) {
      counters.add("HTTP answer lost");
      this.#client.later(network.latency(), () => this.#lost());
      return;
    }
    this.#client.later(network.latency(), () => {
      if (this.#over) return;
      this.#over = true;
      this.#end.answered(response);
    });
  }

  /** The connection broke off: nobody can say whether the request had arrived. */
  #lost(): void {
    const code = this.#network.flaws.deniesRequests === true ? "ECONNREFUSED" : "ECONNRESET";
    this.#fail(new TypeError("fetch failed", { cause: { code } }));
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#end.failed(error);
  }
}

function gatewayRequest(url: string, init: FetchInit): GatewayRequest {
  const { pathname, search } = new URL(url);
  const headers = new Map(Object.entries(init.headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method: init.method,
    url: pathname + search,
    header: (name) => headers.get(name),
    body: typeof init.body === "string" ? new TextEncoder().encode(init.body) : init.body,
    toRequest: () => new Request(url, { method: init.method }),
  };
}

function fetchAnswer(response: GatewayResponse): FetchAnswer {
  const { body, headers, status } = response;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body.slice();
  return {
    status,
    headers: { get: (name) => headers[name] ?? null },
    arrayBuffer: async () => bytes.buffer as ArrayBuffer,
  };
}
