/** A proxy as companies have them: it opens tunnels, and hands on what is asked of it by whole addresses. Every name leads to this machine. */
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";

export class ConnectProxy implements AsyncDisposable {
  /** What was asked of it, with what the asker showed. */
  readonly asked: { readonly target: string; readonly by: string | undefined }[] = [];
  readonly #server: Server;

  /** `port`: where everything leads, by whatever name. `refuse`: the status for all that is asked. */
  private constructor(port: number, refuse?: number) {
    this.#server = createServer((asked, response) => {
      const target = new URL(asked.url ?? "");
      this.asked.push({ target: target.href, by: asked.headers["proxy-authorization"] });
      if (refuse !== undefined)
        return void response.writeHead(refuse, { "proxy-authenticate": "Basic" }).end();
      const {
        path,
        method,
        rawHeaders: headers,
      } = {
        path: target.pathname,
        method: asked.method ?? "",
        rawHeaders: asked.rawHeaders,
      };
      asked.pipe(
        request({ port, path, method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
          answer.pipe(response);
        }),
      );
    });
    this.#server.on("connect", ({ url = "", headers }, socket, head) => {
      this.asked.push({ target: url, by: headers["proxy-authorization"] });
      if (refuse !== undefined) return void socket.end(`HTTP/1.1 ${refuse} No\r\nContent-Length: 0\r\n\r\n`);
      const there = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connected\r\n\r\n");
        there.write(head);
        there.pipe(socket);
        socket.pipe(there);
      });
      for (const [one, other] of [
        [there, socket],
        [socket, there],
      ] as const)
        one.on("error", () => other.destroy()).on("close", () => other.destroy());
    });
  }

  static async start(port: number, refuse?: number): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(port, refuse);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
