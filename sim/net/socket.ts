/**
 * SimSocket: a WebSocket, both ends of it: the client's, with the standard's face, and the server's, a `Link`.
 *
 *   connecting ──accepted──▶ open ──▶ closed          each end closes at its own time
 *
 * Each direction is a lane, so messages keep their order whatever their delays. A close travels as one more message. A
 * break stops both directions at once: what is under way is lost.
 */
import type { WebSocketPort, WebSocketPortEvent } from "@troupe/client";
import type { Link, LinkHandler, Message } from "../../packages/runtime/src/ports/transport.ts";
import type { FifoLane } from "../world/lane.ts";
import type { SimProcess } from "../world/process.ts";
import type { Network } from "./network.ts";

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const HOST = "127.0.0.1:6420";
/** `ws` gives up on a peer that doesn't answer its close after this. */
const CLOSE_TIMEOUT_MS = 30_000;
/** A connection attempt to a machine without power. */
const CONNECT_TIMEOUT_MS = 75_000;

type Listener = (event: WebSocketPortEvent) => void;

/** A client's WebSocket. */
export class SimSocket implements WebSocketPort {
  binaryType = "";
  readyState = CONNECTING;
  readonly #network: Network;
  readonly #client: SimProcess;
  readonly #toClient: FifoLane;
  readonly #listeners = new Map<string, Listener[]>();
  #server: ServerEnd | undefined;
  /** Broken: nothing that is under way arrives. */
  #cut = false;
  /** The other end's machine is gone, or a half-open link swallows what is sent this way. */
  #deaf = false;

  constructor(network: Network, client: SimProcess, url: string) {
    this.#network = network;
    this.#client = client;
    this.#toClient = client.lane("socket");
    network.world.later(network.latency(), () => this.#arrive(url));
  }

  /** Both ends hear each other, as far as it depends on the link. */
  get whole(): boolean {
    return !this.#cut && !this.#deaf;
  }

  isOf(client: SimProcess): boolean {
    return this.#client === client;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== OPEN || !this.#client.alive) return;
    this.#mayBreak();
    if (this.#deaf || this.#cut) return;
    const copy = typeof data === "string" ? data : data.slice();
    this.#server?.receive(() => this.#server?.message(copy));
  }

  close(code = 1000, reason = ""): void {
    if (this.readyState >= CLOSING) return;
    const connecting = this.readyState === CONNECTING;
    this.readyState = CLOSING;
    if (connecting) {
      this.#client.enter(() => this.#closed(1006, ""));
      return;
    }
    if (!this.#deaf && !this.#cut) this.#server?.receive(() => this.#server?.closeArrived(code, reason));
  }

  /** The server's process died, in the middle of anything. What it had sent still arrives. */
  serverDied(power: "kept" | "cut"): void {
    this.#deaf = true;
    if (power === "kept") this.#deliver(() => this.#closed(1006, ""));
  }

  /** From the server's end: a message or a close on its way to the client. */
  deliver(task: () => void): void {
    this.#mayBreak();
    if (!this.#cut) this.#deliver(task);
  }

  message(data: Message): void {
    if (this.readyState === CLOSED) return;
    this.#emit("message", { type: "message", data: typeof data === "string" ? data : data.slice().buffer });
  }

  /** What every WebSocket answers. */
  pinged(): void {
    if (this.readyState !== CLOSED && this.whole) this.#server?.receive(() => this.#server?.ponged());
  }

  /** The server's close frame: the client answers it, and is done. */
  closeArrived(code: number, reason: string): void {
    if (!this.#deaf && !this.#cut) this.#server?.receive(() => this.#server?.closed(code, reason));
    this.#closed(code, reason);
  }

  /** The server has agreed to a close. */
  closeAnswered(code: number): void {
    this.#closed(code, "");
  }

  #arrive(url: string): void {
    const { door, machine } = this.#network;
    if (this.readyState !== CONNECTING) return;
    if (door === undefined || !door.process.alive) {
      const delayMs = machine === "up" ? this.#network.latency() : CONNECT_TIMEOUT_MS;
      this.#client.later(delayMs, () => this.#closed(1006, ""));
      return;
    }
    door.process.enter(() => {
      const { pathname, search } = new URL(url);
      try {
        door.gateway.admit({
          host: HOST,
          origin: undefined,
          authorization: undefined,
          subprotocols: undefined,
        });
        const route = door.gateway.socketRoute(pathname + search);
        this.#server = new ServerEnd(this, this.#network, door.process);
        this.#network.opened(this);
        this.#deliver(() => this.#opened());
        door.gateway.socket(this.#server, route, () => new Request(`http://${HOST}${pathname}${search}`));
      } catch {
        this.#deliver(() => this.#closed(1006, ""));
      }
    });
  }

  #opened(): void {
    if (this.readyState !== CONNECTING) return;
    this.readyState = OPEN;
    this.#emit("open", { type: "open" });
  }

  #closed(code: number, reason: string): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#emit("close", { type: "close", code, reason });
    // A client that went away while connecting leaves the server with an end that it must be told of.
    if (!this.#deaf && !this.#cut) this.#server?.receive(() => this.#server?.closed(code, reason));
  }

  #deliver(task: () => void): void {
    this.#toClient.add(this.#network.world.now + this.#network.latency(), () => {
      if (!this.#cut) task();
    });
  }

  #emit(type: string, event: WebSocketPortEvent): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  /** At any message. */
  #mayBreak(): void {
    const { world } = this.#network;
    if (!this.#cut && world.faults.strikes(world.options.breakLink)) this.break();
  }

  /** The link breaks: each end hears of it some time, or never. */
  break(): void {
    const { world, random } = this.#network;
    if (this.#cut) return;
    this.#cut = true;
    const server = this.#server;
    const halfOpen = random.chance(world.options.halfOpen);
    world.counters.add(halfOpen ? "a half-open link" : "a link broke");
    world.trace.say("network", halfOpen ? "a link is cut, half-open" : "a link is cut");
    const deafEnd = halfOpen ? random.pick(["client", "server", "both"]) : "none";
    if (deafEnd === "client" || deafEnd === "none") server?.later(() => server.closed(1006, ""));
    if (deafEnd === "server" || deafEnd === "none") {
      this.#client.later(this.#network.latency(), () => this.#closed(1006, ""));
    }
  }
}

/** The server's end of a socket. */
class ServerEnd implements Link {
  bufferedBytes = 0;
  readonly #socket: SimSocket;
  readonly #network: Network;
  readonly #process: SimProcess;
  readonly #lane: FifoLane;
  #handler: LinkHandler | undefined;
  #state: "open" | "closing" | "closed" = "open";

  constructor(socket: SimSocket, network: Network, process: SimProcess) {
    this.#socket = socket;
    this.#network = network;
    this.#process = process;
    this.#lane = process.lane("socket");
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
  }

  send(data: Message): void {
    if (this.#state !== "open" || !this.#network.leaves(this.#process, data)) return;
    this.#push(data);
    const { flaws, random } = this.#network;
    if (flaws.doublesMessages === true && random.chance(0.02)) this.#push(data);
  }

  close(code: number, reason: string): void {
    if (this.#state !== "open" || !this.#process.alive) return;
    this.#state = "closing";
    this.#socket.deliver(() => this.#socket.closeArrived(code, reason));
    this.#process.later(CLOSE_TIMEOUT_MS, () => this.closed(1006, ""));
  }

  /** The client's end answers by itself, where it is reached. */
  ping(): void {
    this.#socket.deliver(() => this.#socket.pinged());
  }

  /** The client has answered. */
  ponged(): void {
    if (this.#state !== "closed") this.#handler?.heard?.();
  }

  /** Something arrives from the client. */
  receive(task: () => void): void {
    this.#lane.add(this.#network.world.now + this.#network.latency(), task);
  }

  /** As `receive`, but not behind what the client has sent. */
  later(task: () => void): void {
    this.#process.later(this.#network.latency(), task);
  }

  message(data: Message): void {
    if (this.#state !== "closed") this.#handler?.message(data);
  }

  closeArrived(code: number, reason: string): void {
    this.#socket.deliver(() => this.#socket.closeAnswered(code));
    this.closed(code, reason);
  }

  closed(code: number, reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#network.closed(this.#socket);
    this.#handler?.closed(code, reason);
  }

  #push(data: Message): void {
    const size = data.length;
    this.bufferedBytes += size;
    const socket = this.#socket;
    socket.deliver(() => {
      this.bufferedBytes -= size;
      socket.message(data);
    });
  }
}
