/** A model provider that the test plays: it keeps what came, and answers what the test says. */
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface Received {
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Says "request" when one begins to come. */
export class ScriptedProvider extends EventEmitter implements AsyncDisposable {
  readonly received: Received[] = [];
  /** How many were opened. */
  connections = 0;
  readonly #server: Server;

  private constructor(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    super();
    this.#server = createServer(async (request, response) => {
      this.emit("request");
      const body = await buffer(request).catch(() => undefined);
      // One that is cut isn't received.
      if (body === undefined) return;
      const { url = "", rawHeaders: headers } = request;
      this.received.push({ url, headers, body });
      answer(request, response);
    });
    this.#server.on("connection", () => {
      this.connections += 1;
    });
  }

  static async start(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<ScriptedProvider> {
    const provider = new ScriptedProvider(answer);
    provider.#server.listen(0, "127.0.0.1");
    await once(provider.#server, "listening");
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
