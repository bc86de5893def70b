/** Two ways to a gateway's sockets: frames by hand, and a WebSocket class for the real client. */
import type { Env } from "@troupe/base";
import {
  type ClientFrame,
  decodeServerFrame,
  type Encoding,
  encodeClientFrame,
  encodeHello,
  type Hello,
  type Message,
  type ServerFrame,
} from "@troupe/protocol";
import type { WebSocketPort, WebSocketPortEvent } from "../../../client/src/env.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import { type MemoryLink, memoryLinks } from "../../src/ports/memory/transport.ts";

type Opening = { readonly kind: "welcome" | "refusal"; readonly [name: string]: unknown };
type Frame = Opening | ServerFrame;

/** A client that says exactly what the test says. */
export class TestSocket {
  /** All that came, decoded. */
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly link: MemoryLink;
  readonly far: MemoryLink;
  #encoding: Encoding = "json";
  #opened = false;

  constructor(env: Pick<Env, "afterTurn">, gateway: Gateway, url: string) {
    const [near, far] = memoryLinks(env);
    this.link = near;
    this.far = far;
    near.attach({
      message: (data) => this.frames.push(this.#decode(data)),
      closed: (code, reason) => {
        this.closed = { code, reason };
      },
    });
    gateway.socket(far, gateway.socketRoute(url), () => new Request(`http://127.0.0.1${url}`));
  }

  hello(hello: Partial<Hello> = {}): this {
    this.#encoding = hello.encoding ?? "json";
    this.link.send(encodeHello({ kind: "hello", versions: [1], encoding: "json", ...hello }));
    return this;
  }

  send(frame: ClientFrame): this {
    this.link.send(encodeClientFrame(frame, this.#encoding));
    return this;
  }

  action(id: number, name: string, ...args: unknown[]): this {
    return this.send({ kind: "action", id, name, args });
  }

  subscribe(id: number, event: string): this {
    return this.send({ kind: "subscribe", id, event });
  }

  raw(data: Message): this {
    this.link.send(data);
    return this;
  }

  close(): void {
    this.link.close(1000, "");
  }

  /** Frames as short texts: `welcome`, `reply 1 =2`, `event changed [1]`, `error 1 actor.not_found`. */
  get story(): string[] {
    return this.frames.map(shortly);
  }

  #decode(data: Message): Frame {
    if (this.#opened) return decodeServerFrame(data, this.#encoding);
    this.#opened = true;
    return JSON.parse(String(data)) as Opening;
  }
}

function shortly(frame: Frame): string {
  switch (frame.kind) {
    case "welcome":
    case "pong":
      return frame.kind;
    case "refusal": {
      const { group, code } = frame.error as { group: string; code: string };
      return `refusal ${group}.${code}`;
    }
    case "reply":
      return `reply ${frame.id} ${JSON.stringify(frame.output)}`;
    case "event":
      return `event ${frame.name} ${JSON.stringify(frame.args)}`;
    case "item":
      return `item ${frame.id} ${JSON.stringify(frame.item)}`;
    case "end":
      return `end ${frame.id}`;
    case "subscribed":
      return `subscribed ${frame.id}`;
    case "error":
      return `error ${frame.id ?? "-"} ${frame.error.group}.${frame.error.code}`;
  }
}

/** A `WebSocket` class whose sockets go to `gateway` without a network. */
export function webSocketTo(env: Pick<Env, "afterTurn">, gateway: () => Gateway) {
  return class MemoryWebSocket implements WebSocketPort {
    binaryType = "";
    readyState = 0;
    readonly #listeners = new Map<string, ((event: WebSocketPortEvent) => void)[]>();
    #link: MemoryLink | undefined;

    constructor(url: string, protocols: string[]) {
      const { pathname, search } = new URL(url);
      const offered = new Headers({ "sec-websocket-protocol": protocols.join(", ") });
      env.afterTurn(() => this.#open(pathname + search, offered));
    }

    send(data: string | Uint8Array<ArrayBuffer>): void {
      this.#link?.send(data);
    }

    close(code = 1000, reason = ""): void {
      this.readyState = 2;
      this.#link?.close(code, reason);
    }

    addEventListener(type: string, listener: (event: WebSocketPortEvent) => void): void {
      this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
    }

    #open(path: string, headers: Headers): void {
      try {
        const route = gateway().socketRoute(path);
        const [near, far] = memoryLinks(env);
        this.#link = near;
        this.readyState = 1;
        this.#tell({ type: "open" });
        near.attach({
          message: (data) =>
            this.#tell({ type: "message", data: typeof data === "string" ? data : data.slice().buffer }),
          closed: (code, reason) => {
            this.readyState = 3;
            this.#tell({ type: "close", code, reason });
          },
        });
        gateway().socket(far, route, () => new Request(`http://127.0.0.1${path}`, { headers }));
      } catch {
        this.#tell({ type: "close", code: 1006, reason: "" });
      }
    }

    #tell(event: WebSocketPortEvent): void {
      for (const listener of this.#listeners.get(event.type) ?? []) listener(event);
    }
  };
}
