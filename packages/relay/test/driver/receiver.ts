/** A collector of ATOF events over HTTP and WebSocket, which answers as it is told to. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

export class Receiver {
  /** Every event, in order of arrival. */
  readonly received: { readonly name: string }[] = [];
  /** Of each request and of each connection. */
  readonly headers: IncomingHttpHeaders[] = [];
  /** Statuses of the next requests; behind them 200. */
  answers: number[] = [];
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #waiting: (() => void)[] = [];
  #stalled: (() => void)[] | undefined = undefined;

  constructor(server: Server) {
    this.#server = server;
    this.#sockets = new WebSocketServer({ server });
    this.#sockets.on("connection", (socket, request) => {
      this.headers.push(request.headers);
      socket.on("message", (data) => this.#take([JSON.parse(String(data))]));
    });
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on("request", async (request, response) => {
      receiver.headers.push(request.headers);
      let body = "";
      for await (const chunk of request) body += chunk;
      await receiver.#room();
      const status = receiver.answers.shift() ?? 200;
      if (status === 200) receiver.#take(parsed(body, request.headers["content-type"]));
      response.writeHead(status).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return receiver;
  }

  get names(): string[] {
    return this.received.map(({ name }) => name);
  }

  /** While true, requests wait. */
  set stalled(stalled: boolean) {
    const waiting = this.#stalled ?? [];
    this.#stalled = stalled ? waiting : undefined;
    if (!stalled) for (const go of waiting) go();
  }

  url(webSocket: boolean): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${webSocket ? "ws" : "http"}://127.0.0.1:${port}/events`;
  }

  /** Settles when so many have arrived. */
  async events(count: number): Promise<void> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stalled = false;
    this.#sockets.close();
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #take(events: readonly { readonly name: string }[]): void {
    this.received.push(...events);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #room(): Promise<void> {
    if (this.#stalled !== undefined) await new Promise<void>((resolve) => this.#stalled?.push(resolve));
  }
}

function parsed(body: string, type: string | undefined): { readonly name: string }[] {
  if (type === "application/json") return JSON.parse(body);
  return body
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
