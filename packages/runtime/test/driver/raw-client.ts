import type { Env } from "@troupe/base";
import type { Message } from "@troupe/protocol";
import type { Gateway } from "../../src/gateway/gateway.ts";
import { type MemoryLink, memoryLinks } from "../../src/ports/memory/transport.ts";
import type { Link, LinkHandler } from "../../src/ports/transport.ts";

/** A link that can be pinged, as a WebSocket can. */
class PingedLink implements Link {
  readonly #link: Link;
  readonly #answers: boolean;
  #handler: LinkHandler | undefined;

  constructor(link: Link, answers: boolean) {
    this.#link = link;
    this.#answers = answers;
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.#link.attach(handler);
  }

  send(data: Message): void {
    this.#link.send(data);
  }

  close(code: number, reason: string): void {
    this.#link.close(code, reason);
  }

  ping(): void {
    if (this.#answers) this.#handler?.heard?.();
  }
}

/** A client of an actor's own protocol, on a link of the test's. */
export class RawClient {
  readonly heard: Message[] = [];
  readonly link: MemoryLink;
  /** The gateway's end. */
  readonly far: MemoryLink;
  closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(
    env: Pick<Env, "afterTurn">,
    gateway: Gateway,
    url: string,
    headers: Readonly<Record<string, string>> = {},
    pings?: "answers" | "silent",
  ) {
    const [near, far] = memoryLinks(env);
    this.link = near;
    this.far = far;
    near.attach({
      message: (data) => this.heard.push(data),
      closed: (code, reason) => {
        this.closed = { code, reason };
      },
    });
    const link = pings === undefined ? far : new PingedLink(far, pings === "answers");
    gateway.socket(link, gateway.socketRoute(url), () => new Request(`http://127.0.0.1${url}`, { headers }));
  }

  say(...messages: Message[]): this {
    for (const message of messages) this.link.send(message);
    return this;
  }

  close(code = 1000, reason = ""): void {
    this.link.close(code, reason);
  }
}
