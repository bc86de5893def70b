/**
 * Connections to a provider that end, or where nothing comes: a request goes out once more only where nobody can have read it, and who
 * waits may wait for as long as the provider thinks.
 */
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";

const BODY = '{"model":"m-1"}';

/** A provider whose connections the test ends. */
class FrailProvider implements AsyncDisposable {
  readonly read: string[] = [];
  readonly sockets = new Set<Socket>();
  readonly server: Server;
  connections = 0;

  private constructor(answer: (response: ServerResponse) => void) {
    this.server = createServer(async (incoming, response) => {
      this.read.push(await text(incoming));
      answer(response);
    });
    this.server.on("connection", (socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
  }

  static async start(answer: (response: ServerResponse) => void): Promise<FrailProvider> {
    const provider = new FrailProvider(answer);
    provider.server.listen(0, "127.0.0.1");
    await once(provider.server, "listening");
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

async function gatewayOf({ url }: FrailProvider): Promise<Gateway> {
  return await Gateway.start(readOptions({ bind: "127.0.0.1:0", upstream: [url] }, { cwd: "/" }));
}

async function post({ url }: Gateway): Promise<IncomingMessage> {
  const sent = request(`${url}/v1/messages`, { method: "POST" });
  sent.on("error", () => {});
  const answered: Promise<IncomingMessage[]> = once(sent, "response");
  sent.end(BODY);
  const [answer] = await answered;
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

async function asked(gateway: Gateway): Promise<{ status: number | undefined; body: string }> {
  const answer = await post(gateway);
  return { status: answer.statusCode, body: `${await buffer(answer)}` };
}

/** Does `what` to the provider's end of a connection when a request is about to be written to it, `times` times. */
function whenWritten({ sockets }: FrailProvider, what: (socket: Socket) => void, times = 1): void {
  const headers = channel("undici:client:sendHeaders");
  let left = times;
  const listener = (message: unknown): void => {
    const { localPort } = (message as { socket: Socket }).socket;
    const other = [...sockets].find(({ remotePort }) => remotePort === localPort);
    if (other === undefined || left === 0) return;
    left -= 1;
    what(other);
  };
  headers.subscribe(listener);
  onTestFinished(() => void headers.unsubscribe(listener));
}

test.each([
  ["closes its idle connections", ({ server }: FrailProvider) => server.closeIdleConnections()],
  [
    "resets them",
    ({ sockets }: FrailProvider) => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
  ],
])("a provider that %s while a request comes in gets it on another one", async (_how, end) => {
  await using provider = await FrailProvider.start((response) => void response.end("{}"));
  await using gateway = await gatewayOf(provider);
  expect(await asked(gateway)).toEqual({ status: 200, body: "{}" });
  const { host, hostname, port } = new URL(gateway.url);
  const client = connect({ host: hostname, port: Number(port) });
  await once(client, "connect");
  const head = ["POST /v1/messages HTTP/1.1", `Host: ${host}`, "Connection: close", "Content-Length: 15"];
  client.write(`${head.join("\r\n")}\r\n\r\n${BODY}`);
  // Behind the request, in the order in which the gateway hears of both.
  end(provider);
  expect(`${await buffer(client)}`).toMatch(/^HTTP\/1\.1 200 /);
  expect({ read: provider.read, connections: provider.connections }).toEqual({
    read: [BODY, BODY],
    connections: 2,
  });
});

test("a request that its connection doesn't take goes out once more, and no more than that", async () => {
  await using provider = await FrailProvider.start((response) => void response.end("{}"));
  await using gateway = await gatewayOf(provider);
  await asked(gateway);
  whenWritten(provider, (socket) => socket.resetAndDestroy());
  expect(await asked(gateway)).toEqual({ status: 200, body: "{}" });
  expect(provider.read).toEqual([BODY, BODY]);
  whenWritten(provider, (socket) => socket.resetAndDestroy(), Number.POSITIVE_INFINITY);
  const { status, body } = await asked(gateway);
  expect(status).toBe(502);
  expect(JSON.parse(body)).toMatchObject({ type: "error", error: { code: "gateway.upstream_closed" } });
  expect(provider.read).toEqual([BODY, BODY]);
});

test("a request that a provider may have read isn't sent twice: the client is told why, and decides", async () => {
  await using provider = await FrailProvider.start((response) => {
    if (provider.read.length === 1) response.end("{}");
    else response.socket?.destroy();
  });
  await using gateway = await gatewayOf(provider);
  await asked(gateway);
  whenWritten(provider, (socket) => socket.destroy());
  const closed = { type: "error", error: { code: "gateway.upstream_closed" } };
  for (const read of [[BODY], [BODY, BODY]]) {
    const { status, body } = await asked(gateway);
    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject(closed);
    expect(body).toContain(`${provider.url} closed the connection without an answer`);
    expect(provider.read).toEqual(read);
  }
});

test("what answers and speaks no HTTP is named as that, in front of an answer and in the midst of one", async () => {
  const said = [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
  ];
  await using provider = await FrailProvider.start((response) => {
    response.socket?.end(said[provider.read.length - 1] ?? "");
  });
  await using gateway = await gatewayOf(provider);
  const { status, body } = await asked(gateway);
  expect([status, JSON.parse(body).error.code]).toEqual([502, "gateway.upstream_no_http"]);
  expect(body).toContain(`${provider.url} answered with what isn't HTTP`);
  await expect(asked(gateway)).rejects.toThrow("aborted");
});

test("a provider may think for hours before its answer and in the midst of it; one that never answers is left with its client", async () => {
  // Before the first timer of the gateway's: whatever it waits with is among them.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const responses: ServerResponse[] = [];
  const reached = [0, 1].map(() => Promise.withResolvers<ServerResponse>());
  await using provider = await FrailProvider.start((response) => {
    responses.push(response);
    reached[responses.length - 1]?.resolve(response);
  });
  await using gateway = await gatewayOf(provider);
  const answered = post(gateway);
  const thinking = await reached[0]?.promise;
  vi.advanceTimersByTime(6 * 3_600_000);
  thinking?.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
  const answer = await answered;
  const [first] = await once(answer, "data");
  vi.advanceTimersByTime(6 * 3_600_000);
  thinking?.end("data: 2\n\n");
  expect(`${first}${await buffer(answer)}`).toBe("data: 1\n\ndata: 2\n\n");

  const leaving = request(`${gateway.url}/v1/messages`, { method: "POST" });
  leaving.on("error", () => {});
  leaving.end(BODY);
  const silent = await reached[1]?.promise;
  const cut = new Promise((resolve) => silent?.once("close", resolve));
  leaving.destroy();
  await cut;
  expect(silent?.writableFinished).toBe(false);
});
