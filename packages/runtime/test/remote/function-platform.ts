/** A platform of functions: a real HTTP server that runs a program's handler for each request. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

type Handler = (request: Request) => Promise<Response>;

/** A platform: each request is one run of the function. */
export class FunctionPlatform implements AsyncDisposable {
  readonly url: string;
  starts = 0;
  running = 0;
  handler: Handler = () => Promise.resolve(new Response("no function is deployed", { status: 503 }));
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    const { port }: AddressInfo = Object(server.address());
    this.url = `http://127.0.0.1:${port}/api/troupe/`;
    server.on("request", async (request, response) => {
      this.starts += 1;
      this.running += 1;
      response.on("close", () => {
        this.running -= 1;
      });
      const headers = new Headers(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const body = Buffer.concat(await request.toArray()).toString();
      const answer = await this.handler(
        new Request(new URL(request.url ?? "/", this.url), { method: "POST", headers, body }),
      );
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      for await (const chunk of answer.body ?? []) response.write(chunk);
      response.end();
    });
  }

  static async start(): Promise<FunctionPlatform> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FunctionPlatform(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
