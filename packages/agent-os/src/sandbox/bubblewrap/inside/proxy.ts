/**
 * The proxy of a sandbox: what its programs find at `http_proxy` and `https_proxy`. It decides nothing and reaches nothing: each request
 * is told to the runtime, which makes it or refuses it.
 *
 * A request for an http address goes as a whole, and can carry credentials; some clients ask for a tunnel (CONNECT) first, and say it in
 * there. What the host has at a name that means the sandbox itself, localhost say, programs don't ask a proxy for: it stands there in its place. For an https address a tunnel is one: the runtime opens a connection to where it leads, and nobody sees what is said in it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FromSupervisor, ToSupervisor } from "./messages.ts";

/** As RFC 9209 has it: it wasn't the server who refused. */
const REFUSED = { "proxy-status": "troupe; error=http_request_denied" };
const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";

/** Answers of the runtime, by the ids of what was asked. */
export type OutsideAnswer = Extract<
  ToSupervisor,
  { readonly type: "fetched" | "refused" | "opened" | "plain" }
>;

/** How the proxy asks. */
export interface ProxyParts {
  readonly send: (message: FromSupervisor, body?: Uint8Array) => void;
  /** The channel that the other side opened under this number. */
  readonly channel: (id: number) => Duplex;
  readonly bodyBytes: number;
}

/** The way out, inside. */
export class WebProxy {
  readonly #parts: ProxyParts;
  readonly #asked = new Map<number, (answer: OutsideAnswer, body: Uint8Array) => void>();
  // An import of it would ask for each of its exports, some of which take longer than all else that a sandbox begins with.
  readonly #server = process
    .getBuiltinModule("node:http")
    .createServer((request, response) => void this.#fetch(request, response));
  /** Where requests that come through a tunnel are for. */
  readonly #origins = new WeakMap<Duplex, string>();
  // Even numbers: a tunnel's is its channel's.
  #next = 2;

  constructor(parts: ProxyParts) {
    this.#parts = parts;
  }

  /** Listens on the sandbox's own loopback. */
  listen(port: number): void {
    this.#server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // What a client says before it is told that it may is for whom the tunnel leads to.
      if (head.byteLength > 0) socket.unshift(head);
      this.#tunnel(request, socket);
    });
    this.#server.on("clientError", (_error, socket) => socket.destroy());
    this.#server.listen(port, "127.0.0.1");
  }

  /** What comes to that port of the sandbox is for this origin of the host. A port that can't be had, as those below 1024, isn't there. */
  standFor(origin: string): void {
    const { hostname, port } = new URL(origin);
    const addresses = hostname === "localhost" ? ["127.0.0.1", "::1"] : [hostname.replace(/[[\]]/g, "")];
    for (const address of addresses) {
      const server = createServer((socket: Socket) => {
        this.#origins.set(socket, origin);
        this.#server.emit("connection", socket);
      });
      server.on("error", () => undefined);
      server.listen(Number(port || 80), address);
    }
  }

  answered(answer: OutsideAnswer, body: Uint8Array): void {
    const asked = this.#asked.get(answer.id);
    this.#asked.delete(answer.id);
    asked?.(answer, body);
  }

  async #fetch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    const body = await this.#bodyOf(request).catch(() => undefined);
    if (body === undefined) {
      response.writeHead(413).end();
      return;
    }
    const { method = "GET", socket } = request;
    const url = (this.#origins.get(socket) ?? "") + (request.url ?? "/");
    const headers = Object.fromEntries(
      Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(", ")]),
    );
    const id = this.#ask((answer, received) => {
      if (answer.type === "fetched") {
        const { "transfer-encoding": _encoding, connection: _connection, ...kept } = answer.headers;
        response.writeHead(answer.status, answer.statusText, {
          ...kept,
          "content-length": received.byteLength,
        });
        response.end(received);
      } else response.writeHead(403, REFUSED).end(`${answer.type === "refused" ? answer.why : "refused"}\n`);
    });
    this.#parts.send({ type: "fetch", id, url, method, headers }, body);
  }

  #tunnel(request: IncomingMessage, socket: Duplex): void {
    socket.on("error", () => undefined);
    const target = /^(?<host>\[[\da-f:.]+\]|[^:]+):(?<port>\d{1,5})$/i.exec(request.url ?? "")?.groups;
    if (target === undefined) {
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
      return;
    }
    const id = this.#ask((answer) => {
      if (answer.type === "plain") {
        this.#origins.set(socket, `http://${request.url}`);
        socket.write(ESTABLISHED);
        this.#server.emit("connection", socket);
        return;
      }
      if (answer.type !== "opened") {
        const why = answer.type === "refused" ? answer.why : "refused";
        const proxyStatus = `proxy-status: ${REFUSED["proxy-status"]}`;
        socket.end(
          `HTTP/1.1 403 ${why.replace(/[^\x20-\x7e]/g, " ")}\r\n${proxyStatus}\r\ncontent-length: 0\r\n\r\n`,
        );
        return;
      }
      const channel = this.#parts.channel(id);
      socket.write(ESTABLISHED);
      joined(socket, channel);
    });
    this.#parts.send({ type: "tunnel", id, host: target.host ?? "", port: Number(target.port) });
  }

  #ask(answered: (answer: OutsideAnswer, body: Uint8Array) => void): number {
    const id = this.#next;
    this.#next += 2;
    this.#asked.set(id, answered);
    return id;
  }

  async #bodyOf(request: IncomingMessage): Promise<Uint8Array> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > this.#parts.bodyBytes) throw new Error("too long");
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}

/** What comes from the one goes to the other; the end of either is the end of both, behind all that it has said. */
export function joined(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      if (!from.readableEnded || to.writableFinished) return void to.destroy();
      // Whoever reads slowly still gets the rest. What is said to the one that has gone goes nowhere.
      to.on("finish", () => to.destroy());
      to.resume();
    });
  }
}
