/** A model provider that the test plays: it keeps what came, and answers what the test says. */
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Says "request" when one begins to come. */
export class ScriptedProvider extends EventEmitter implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #server: Server;

  private constructor(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    super();
    this.#server = createServer(async (request, response) => {
      this.emit("request");
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { url = "", rawHeaders: headers } = request;
      this.received.push({ url, headers, body: Buffer.concat(chunks) });
      answer(request, response);
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
