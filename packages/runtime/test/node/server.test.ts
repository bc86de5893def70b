/** The gateway on a real port: what comes in before the gateway sees it, and how a server starts and ends. */
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { createClient } from "@troupe/client";
import { limits } from "@troupe/protocol";
import { actor, type Registry, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { codeOf, Latch, rejection } from "../driver/watch.ts";

const hanging = new Latch();
const aborted = new Latch<string>();

const echo = actor({
  state: { n: 0 },
  actions: {
    args: (_c, ...args: unknown[]) => args,
    add: (c) => ++c.state.n,
    hang: async (c) => {
      hanging.open();
      await new Promise((resolve) => c.abortSignal.addEventListener("abort", resolve));
      aborted.open(codeOf(c.abortSignal.reason));
    },
    header: (c) => c.request?.headers.get("x-mine") ?? null,
  },
});

type Echo = Registry<{ echo: typeof echo }>;
type Access = Omit<Parameters<typeof setup<{ echo: typeof echo }>>[0], "use">;

class Serving implements AsyncDisposable {
  readonly registry: Echo;
  endpoint = "";
  port = 0;

  constructor(access: Access = {}) {
    this.registry = setup({ use: { echo }, ...access });
  }

  async start(options: { port?: number } = {}): Promise<this> {
    const server = await this.registry.start({
      port: 0,
      dataDir: "unused",
      durability: "memory",
      signals: false,
      banner: false,
      ...options,
    });
    this.endpoint = server.endpoint;
    this.port = server.port;
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.registry.stop();
  }
}

/** Sends bytes as they are and gives all that comes back until the end. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(text);
  return await readAll(socket);
}

async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  await once(socket, "close");
  return Buffer.concat(chunks).toString();
}

const upgrade = (headers: string): string =>
  `GET /actor/echo/connect HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`;

const hijacks: readonly (readonly [string, string])[] = [
  ["a foreign Origin", "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n"],
  ["equal Host and Origin of a rebound name", "Host: evil.example\r\nOrigin: http://evil.example\r\n"],
  ["Origin null", "Host: 127.0.0.1\r\nOrigin: null\r\n"],
  ["an empty Origin", "Host: 127.0.0.1\r\nOrigin: \r\n"],
  ["a name that begins as ours", "Host: 127.0.0.1.evil.example\r\n"],
  ["an empty Host", "Host: \r\n"],
  ["the unspecified address", "Host: [::]\r\n"],
  ["a mapped IPv6 literal", "Host: [::ffff:127.0.0.1]\r\n"],
  ["an Origin that begins as ours", "Host: localhost\r\nOrigin: http://localhost.evil.example\r\n"],
];

test("a local server can't be hijacked: each is 403 before the upgrade, and over HTTP", async () => {
  await using serving = await new Serving().start();
  for (const [name, headers] of hijacks) {
    const socket = await raw(serving.port, upgrade(headers));
    expect([name, socket.split("\r\n")[0]]).toEqual([name, "HTTP/1.1 403 Forbidden"]);
    expect(socket).toMatch(/"code":"(host|origin)_not_allowed"/);
    const post = `POST /actor/echo/action/add HTTP/1.1\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`;
    expect([name, (await raw(serving.port, post)).split("\r\n")[0]]).toEqual([
      name,
      "HTTP/1.1 403 Forbidden",
    ]);
  }
  expect(await raw(serving.port, upgrade("Host: 127.0.0.1\r\nOrigin: http://localhost:3000\r\n"))).toContain(
    "101 Switching",
  );
  await using client = createClient<Echo>(serving.endpoint);
  expect(await client.echo.getOrCreate().add()).toBe(1);
});

test("with a token: 401 without it, before the upgrade too; header and subprotocol open the door", async () => {
  await using serving = await new Serving({ auth: "token", token: "s3cret" }).start();
  expect(await raw(serving.port, upgrade("Host: 127.0.0.1\r\n"))).toContain("HTTP/1.1 401");
  await using stranger = createClient<Echo>({ endpoint: serving.endpoint, token: "wrong" });
  expect(await rejection(stranger.echo.getOrCreate().add())).toBe("gateway.unauthorized");
  await using client = createClient<Echo>({ endpoint: serving.endpoint, token: "s3cret" });
  expect(await client.echo.getOrCreate().add()).toBe(1);
  const conn = client.echo.getOrCreate().connect();
  expect(await conn.add()).toBe(2);
  const preflight = await fetch(`${serving.endpoint}/actor/echo/action/add`, {
    method: "OPTIONS",
    headers: { origin: "http://localhost:1" },
  });
  expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([
    204,
    "http://localhost:1",
  ]);
});

test("upgrades elsewhere than at an actor's address are refused", async () => {
  await using serving = await new Serving().start();
  for (const path of ["/", "/actor/echo/action/add", "/actorfoo/echo/connect", "/actor/echo/connect/more"]) {
    const answer = await raw(
      serving.port,
      upgrade("Host: 127.0.0.1\r\n").replace("/actor/echo/connect", path),
    );
    expect([path, answer.split("\r\n")[0]]).toEqual([path, "HTTP/1.1 404 Not Found"]);
  }
});

test("a body past the limit is answered with 413, with and without a length; the next request works", async () => {
  await using serving = await new Serving().start();
  for (const headers of [
    { "content-length": String(limits.httpBodyBytes + 1) },
    { "transfer-encoding": "chunked" },
  ]) {
    const request = httpRequest(`${serving.endpoint}/actor/echo/action/args`, { method: "POST", headers });
    request.on("error", () => {});
    const chunk = Buffer.alloc(1024 * 1024, 32);
    const answered = once(request, "response");
    for (let sent = 0; sent < limits.httpBodyBytes; sent += chunk.length) request.write(chunk);
    request.write(" ");
    const [response] = (await answered) as [import("node:http").IncomingMessage];
    const text = (await response.toArray()).join("");
    expect([response.statusCode, JSON.parse(text).error.code]).toEqual([413, "body_too_large"]);
    request.destroy();
  }
  await using client = createClient<Echo>(serving.endpoint);
  expect(await client.echo.getOrCreate().args(1)).toEqual([1]);
});

test("headers past the limit are refused by the server", async () => {
  await using serving = await new Serving().start();
  const answer = await raw(
    serving.port,
    `GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ${"x".repeat(limits.headerBytes)}\r\n\r\n`,
  );
  expect(answer).toContain("HTTP/1.1 431");
});

test("malformed HTTP, half-open and slow connections stop neither others nor the stop", async () => {
  const serving = await new Serving().start();
  expect(await raw(serving.port, "NONSENSE\r\n\r\n")).toContain("HTTP/1.1 400");
  const silent = connect(serving.port, "127.0.0.1");
  const halfHeaders = connect(serving.port, "127.0.0.1");
  halfHeaders.write("POST /actor/echo/action/add HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  const halfBody = connect(serving.port, "127.0.0.1");
  halfBody.write("POST /actor/echo/action/add HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{");
  const mute = connect(serving.port, "127.0.0.1");
  mute.write(upgrade("Host: 127.0.0.1\r\n"));
  await once(mute, "data");
  // A socket that never agrees to be closed.
  mute.pause();
  await using client = createClient<Echo>(serving.endpoint);
  expect(await client.echo.getOrCreate().add()).toBe(1);
  const ends = [silent, halfHeaders, halfBody].map((socket) => readAll(socket));
  await serving.registry.stop();
  mute.resume();
  expect(await Promise.all(ends)).toEqual(["", "", ""]);
  mute.destroy();
});

test("a frame that is too long for any actor closes its WebSocket with 1009; unknown subprotocols aren't answered", async () => {
  await using serving = await new Serving().start();
  const socket = new WebSocket(`${serving.endpoint.replace("http", "ws")}/actor/echo/connect`, [
    "other",
    "troupe",
  ]);
  await once(socket, "open");
  expect(socket.protocol).toBe("troupe");
  const closed = once(socket, "close") as Promise<[number]>;
  socket.send(Buffer.alloc(limits.incomingMessageBytes + 1));
  expect((await closed)[0]).toBe(1009);
});

test("c.request is the request, also over a WebSocket; header values come through", async () => {
  await using serving = await new Serving().start();
  const answer = await fetch(`${serving.endpoint}/actor/echo/action/header`, {
    method: "POST",
    headers: { "x-mine": "yes" },
  });
  expect(await answer.json()).toEqual({ output: "yes" });
});

test("a port in use is an error by name, and frees everything; then the same registry can start elsewhere", async () => {
  await using serving = await new Serving().start();
  await using second = new Serving();
  expect(await rejection(second.start({ port: serving.port }))).toBe("config.port_in_use");
  await second.start();
  expect(second.port).not.toBe(serving.port);
  expect(await rejection(second.start())).toBe("config.already_started");
});

test("start, stop, start again in one process; a stop without a start does nothing", async () => {
  const serving = new Serving();
  await serving.registry.stop();
  for (let round = 0; round < 3; round += 1) {
    await serving.start();
    await using client = createClient<Echo>(serving.endpoint);
    const conn = client.echo.getOrCreate().connect();
    expect(await conn.add()).toBe(1);
    await serving.registry.stop();
    expect(await rejection(fetch(`${serving.endpoint}/livez`))).toContain("fetch failed");
  }
});

test("two registries in one process share nothing", async () => {
  await using one = await new Serving().start();
  await using two = await new Serving({ token: "t" }).start();
  await using first = createClient<Echo>(one.endpoint);
  await using second = createClient<Echo>(two.endpoint);
  expect(await first.echo.getOrCreate(["k"]).add()).toBe(1);
  expect(await second.echo.getOrCreate(["k"]).add()).toBe(1);
  expect(await first.echo.getOrCreate(["k"]).resolve()).not.toBe(
    await second.echo.getOrCreate(["k"]).resolve(),
  );
  await one.registry.stop();
  expect(await second.echo.getOrCreate(["k"]).add()).toBe(2);
  const metrics = await fetch(`${two.endpoint}/metrics`, { headers: { authorization: "Bearer t" } });
  expect(await metrics.text()).toContain("troupe_actors_awake 1");
});

test("an address that other machines can reach needs its three answers", async () => {
  const { registry } = new Serving();
  expect(await rejection(registry.start({ host: "0.0.0.0", port: 0, durability: "memory" }))).toBe(
    "config.unsafe_bind",
  );
});

test("handler never rejects: what can't be opened is an answer", async () => {
  const { registry } = new Serving();
  process.env["TROUPE_PORT"] = "many";
  try {
    const response = await registry.handler(new Request("http://127.0.0.1/livez"));
    expect([response.status, ((await response.json()) as { error: object }).error]).toMatchObject([
      400,
      { code: "invalid_environment" },
    ]);
  } finally {
    delete process.env["TROUPE_PORT"];
  }
});

test("a client that disconnects cancels its call", async () => {
  await using serving = await new Serving().start();
  const stop = new AbortController();
  await using client = createClient<Echo>(serving.endpoint);
  const call = client.echo.getOrCreate().action({ name: "hang", signal: stop.signal });
  await hanging.promise;
  stop.abort();
  expect(await rejection(call)).toBe("client.aborted");
  expect(await aborted.promise).toBe("actor.aborted");
});
