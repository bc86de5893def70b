/**
 * MemoryTransport: links inside one process, with the order and the asynchrony of real ones.
 *
 * Each end keeps a queue of what the other sent. It is delivered in a macrotask, never inside `send`, so nobody's turn
 * runs inside another's; while the end has no handler it just waits there. A close is one more entry in that queue, so
 * messages sent before it arrive first. A break is not: what was on its way is lost.
 */
import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { transportErrors } from "../../errors.ts";
import type { Link, LinkHandler, Listener, Message, Transport } from "../transport.ts";

type Context = Pick<Env, "afterTurn">;

/** A `Transport` inside one process. */
export class MemoryTransport implements Transport {
  readonly #env: Context;
  readonly #listeners = new Map<string, (link: Link) => void>();
  readonly #links = new Set<MemoryLink>();

  constructor(options: { readonly env: Context }) {
    this.#env = options.env;
  }

  async dial(address: string): Promise<Link> {
    const accept = this.#listeners.get(address);
    if (accept === undefined) throw transportErrors.unreachable(address);
    const [near, far] = memoryLinks(this.#env, (end) => this.#links.delete(end));
    this.#links.add(near);
    this.#links.add(far);
    accept(far);
    return near;
  }

  async listen(address: string, accept: (link: Link) => void): Promise<Listener> {
    if (this.#listeners.has(address)) throw transportErrors.addressInUse(address);
    this.#listeners.set(address, accept);
    return {
      close: async () => {
        if (this.#listeners.get(address) === accept) this.#listeners.delete(address);
      },
    };
  }

  /** Every link breaks as if the network had gone: both ends hear 1006, what was on its way is lost. */
  breakAll(): void {
    for (const link of this.#links) link.break();
  }
}

/** Two ends of one link. `ended` is told of each end once it has heard its last. */
export function memoryLinks(
  env: Context,
  ended: (end: MemoryLink) => void = () => {},
): [MemoryLink, MemoryLink] {
  const a = new MemoryLink(env, ended);
  const b = new MemoryLink(env, ended);
  a.connect(b);
  b.connect(a);
  return [a, b];
}

/** How a link ended. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** One end of a link in memory. */
export class MemoryLink implements Link {
  readonly #env: Context;
  readonly #ended: (end: MemoryLink) => void;
  #peer: MemoryLink | undefined;
  #handler: LinkHandler | undefined;
  /** What the other end sent and the handler hasn't got. */
  #inbox: Message[] = [];
  #closing: Closing | undefined;
  #state: "open" | "closing" | "closed" = "open";
  #scheduled = false;
  #bufferedBytes = 0;
  #full = false;

  constructor(env: Context, ended: (end: MemoryLink) => void) {
    this.#env = env;
    this.#ended = ended;
  }

  /** Joins this end to the other one. Once, before anything is sent. */
  connect(peer: MemoryLink): void {
    this.#peer = peer;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.#schedule();
  }

  send(data: Message): void {
    const peer = this.#peer;
    if (peer === undefined || this.#state !== "open" || peer.#state !== "open") return;
    this.#bufferedBytes += byteLength(data);
    if (this.#bufferedBytes >= limits.sendBufferBytes / 2) this.#full = true;
    peer.#inbox.push(data);
    peer.#schedule();
  }

  close(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#inbox = [];
    for (const end of [this, this.#peer]) end?.finish({ code, reason });
  }

  /** The link goes without a word: both ends hear 1006. */
  break(): void {
    for (const end of [this, this.#peer]) {
      if (end === undefined || end.#state !== "open") continue;
      end.#inbox = [];
      end.finish({ code: 1006, reason: "" });
    }
  }

  /** The last entry of this end's queue. The link's own: others `close`. */
  finish(closing: Closing): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#closing = closing;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#handler === undefined || this.#state === "closed") return;
    if (this.#inbox.length === 0 && this.#closing === undefined) return;
    this.#scheduled = true;
    this.#env.afterTurn(this.#deliver);
  }

  /** One message a macrotask: each is a turn of its own for who gets it. */
  readonly #deliver = (): void => {
    this.#scheduled = false;
    const handler = this.#handler;
    if (handler === undefined || this.#state === "closed") return;
    const message = this.#inbox.shift();
    if (message !== undefined) {
      handler.message(message);
      this.#peer?.delivered(byteLength(message));
    } else if (this.#closing !== undefined) {
      this.#state = "closed";
      handler.closed(this.#closing.code, this.#closing.reason);
      this.#ended(this);
    }
    this.#schedule();
  };

  /** The other end has read `bytes`. The link's own. */
  delivered(bytes: number): void {
    this.#bufferedBytes -= bytes;
    if (!this.#full || this.#bufferedBytes >= limits.sendBufferBytes / 2) return;
    this.#full = false;
    if (this.#state === "open") this.#handler?.drained?.();
  }
}

function byteLength(data: Message): number {
  return typeof data === "string" ? data.length : data.byteLength;
}
