/** A server of this machine that somebody may be let to, and what it was asked. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Answers requests by their paths. */
export type Pages = Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>>;

/** Serves pages until the test has finished; what isn't there is 404. */
export async function serveWeb(pages: Pages) {
  const asked: {
    readonly method: string | undefined;
    readonly url: string | undefined;
    readonly headers: IncomingMessage["headers"];
  }[] = [];
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    asked.push({ method, url, headers });
    const page = pages[new URL(url ?? "/", "http://x").pathname];
    if (page === undefined) response.writeHead(404).end();
    else page(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { asked, port, origin: `http://127.0.0.1:${port}` };
}
