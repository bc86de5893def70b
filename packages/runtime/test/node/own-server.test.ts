/** A registry behind a server of the program's own: what comes to its addresses is its, everything else stays untouched. */
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@troupe/client";
import { actor, event, type Registry, setup } from "@troupe/runtime";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

const room = actor({
  state: { said: 0 },
  events: { said: event<[string]>() },
  onWebSocket: (_c, websocket) => {
    websocket.onmessage = ({ data }) => websocket.send(`raw ${String(data)}`);
  },
  onRequest: async (_c, request) => new Response(`asked ${await request.text()}`),
  actions: {
    say: (c, text: string) => {
      c.state.said += 1;
      c.broadcast("said", text);
      return c.state.said;
    },
  },
});

const use = { room };
type Rooms = Registry<typeof use>;
type Config = Omit<Parameters<typeof setup<typeof use>>[0], "use">;

/** A server of node:http with a page and a WebSocket of its own, and the registry beside them. */
class OwnServer implements AsyncDisposable {
  readonly registry: Rooms;
  readonly server: Server;
  readonly reload = new WebSocketServer({ noServer: true });
  readonly #opened: AsyncDisposable[] = [];

  constructor(config: Config = {}) {
    vi.stubEnv("TROUPE_DURABILITY", "memory");
    this.registry = setup({ use, ...config });
    this.server = createServer((request, response) =>
      this.registry.nodeHandler(request, response, () =>
        response.end(`a page of the program: ${request.url}`),
      ),
    );
  }

  /** `upgrades`: false leaves WebSockets to nobody. */
  async listen({ upgrades = true, host = "127.0.0.1" } = {}): Promise<this> {
    if (upgrades) this.takeUpgrades();
    this.server.listen(0, host);
    await once(this.server, "listening");
    return this;
  }

  takeUpgrades(): void {
    this.server.on("upgrade", this.registry.upgrade);
    this.server.on("upgrade", (request, socket, head) => {
      if (request.url !== "/reload") return;
      this.reload.handleUpgrade(request, socket, head, (ws) => {
        ws.on("message", (data) => ws.send(`heard ${String(data)}`));
        ws.send("changed");
      });
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  client(token?: string) {
    const endpoint = `http://127.0.0.1:${this.port}`;
    const client = createClient<Rooms>(token === undefined ? endpoint : { endpoint, token });
    this.#opened.push(client);
    return client;
  }

  url(path: string): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  /** The first line of the answer to an upgrade. */
  async upgrade(path: string, headers = "Host: 127.0.0.1\r\n", address = "127.0.0.1"): Promise<string> {
    const socket = connect(this.port, address);
    socket.write(
      `GET ${path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`,
    );
    const [bytes] = await once(socket, "data");
    socket.destroy();
    return String(bytes).split("\r\n")[0] ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of this.#opened) await opened[Symbol.asyncDispose]();
    this.server.close();
    for (const socket of this.reload.clients) socket.terminate();
    await this.registry.stop();
    this.server.closeAllConnections();
    vi.unstubAllEnvs();
  }
}

const spoken = async (socket: WebSocket): Promise<string> => String((await once(socket, "message"))[0]);

/** What a listener is told first. */
const next = <T>(on: (told: (value: T) => void) => () => void): Promise<T> =>
  new Promise((resolve) => {
    const off = on((value) => {
      off();
      resolve(value);
    });
  });

test("calls, connections, an actor's own sockets and requests, the inspector: all on the program's port", async () => {
  await using own = await new OwnServer({ inspector: { token: "people" } }).listen();
  const handle = own.client().room.getOrCreate(["a"]);
  const conn = handle.connect();
  const heard = next<string>((told) => conn.on("said", told));
  expect(await conn.say("hello")).toBe(1);
  expect(await heard).toBe("hello");
  expect(await handle.say("again")).toBe(2);
  expect(await (await handle.fetch("/x", { method: "POST", body: "what" })).text()).toBe("asked what");
  const raw = new WebSocket(own.url("/actor/room/websocket?troupe-key=a"));
  raw.on("open", () => raw.send("hi"));
  expect(await spoken(raw)).toBe("raw hi");
  const headers = { authorization: "Bearer people" };
  const live = new WebSocket(own.url(`/inspector/actors/${await handle.resolve()}/live`), { headers });
  expect(JSON.parse(await spoken(live)).kind).toBe("snapshot");
});

test("what isn't the registry's is the program's: pages, and WebSockets of others", async () => {
  await using own = await new OwnServer().listen();
  const page = await fetch(`http://127.0.0.1:${own.port}/actors`);
  expect(await page.text()).toBe("a page of the program: /actors");
  const reload = new WebSocket(own.url("/reload"));
  expect(await spoken(reload)).toBe("changed");
  reload.send("you");
  expect(await spoken(reload)).toBe("heard you");
  expect(await own.client().room.getOrCreate(["a"]).connect().say("both")).toBe(1);
});

test("without a next, what isn't the registry's is its app's, or a 404", async () => {
  await using own = await new OwnServer().listen();
  own.server.removeAllListeners("request").on("request", own.registry.nodeHandler);
  const answer = await fetch(`http://127.0.0.1:${own.port}/actors`);
  expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: "not_found" } }]);
});

test("the checks are those of start(): hosts, origins, the token", async () => {
  await using own = await new OwnServer({ auth: "token", token: "s3cret" }).listen();
  const path = "/actor/room/connect?key=a";
  expect(await own.upgrade(path)).toBe("HTTP/1.1 401 Unauthorized");
  expect(await own.upgrade(path, "Host: evil.example\r\n")).toBe("HTTP/1.1 403 Forbidden");
  expect(await own.upgrade(path, "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n")).toBe(
    "HTTP/1.1 403 Forbidden",
  );
  expect(await own.upgrade("/actor/room/nothing")).toBe("HTTP/1.1 401 Unauthorized");
  expect(await own.client("s3cret").room.getOrCreate(["a"]).connect().say("in")).toBe(1);
});

test("a stop ends the registry's sockets and leaves the server; who comes behind it waits until it is opened again", async () => {
  await using own = await new OwnServer().listen();
  const reload = new WebSocket(own.url("/reload"));
  await once(reload, "message");
  const raw = new WebSocket(own.url("/actor/room/websocket?troupe-key=a"));
  await once(raw, "open");
  const conn = own.client().room.getOrCreate(["a"]).connect();
  await conn.ready;
  const [lost, ended] = [next<void>((told) => conn.onClose(told)), once(raw, "close")];
  await own.registry.stop();
  await lost;
  expect((await ended)[0]).toBe(1012);
  expect(await own.upgrade("/actor/room/connect?key=a")).toBe("HTTP/1.1 503 Service Unavailable");
  const refused = await fetch(`http://127.0.0.1:${own.port}/readyz`);
  expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: "stopping" } }]);
  expect([reload.readyState, own.server.listening]).toEqual([WebSocket.OPEN, true]);
  const back = next<void>((told) => conn.onOpen(told));
  await own.registry.client();
  conn.reconnect();
  await back;
});

test("a body that somebody has read before is refused, not waited for", async () => {
  await using own = await new OwnServer().listen();
  own.server.removeAllListeners("request").on("request", async (request, response) => {
    for await (const _ of request);
    own.registry.nodeHandler(request, response);
  });
  const url = `http://127.0.0.1:${own.port}/actor/room/action/say?key=a`;
  const answer = await fetch(url, { method: "POST", body: '{"args":["hi"]}' });
  expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: "bad_request" } }]);
});

test("a connection is told that the server takes no WebSockets, and is there once it does", async () => {
  await using own = await new OwnServer().listen({ upgrades: false });
  const conn = own.client().room.getOrCreate(["a"]).connect();
  const error = await next<unknown>((told) => conn.onError(told));
  expect(error).toMatchObject({ group: "client", code: "connect_failed", metadata: { status: 426 } });
  expect(String(error)).toContain('server.on("upgrade", registry.upgrade)');
  own.takeUpgrades();
  conn.reconnect();
  expect(await conn.say("at last")).toBe(1);
});

test("so is one that has the wrong token", async () => {
  await using own = await new OwnServer({ auth: "token", token: "s3cret" }).listen();
  const conn = own.client("wrong").room.getOrCreate(["a"]).connect();
  const error = await next<unknown>((told) => conn.onError(told));
  expect(error).toMatchObject({ code: "connect_failed", metadata: { status: 401 } });
});

test("where an engine elsewhere has the actors nothing is the registry's: pages are the program's, the rest a 404, and no store is opened", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-own-server-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await using own = await new OwnServer().listen();
  vi.stubEnv("TROUPE_DURABILITY", "commit");
  vi.stubEnv("TROUPE_DATA", join(folder, "data"));
  vi.stubEnv("TROUPE_ENDPOINT", "http://127.0.0.1:9");
  const asked = async (path: string): Promise<Response> => await fetch(`http://127.0.0.1:${own.port}${path}`);
  expect(await (await asked("/readyz")).text()).toBe("a page of the program: /readyz");
  own.server.removeAllListeners("request").on("request", own.registry.nodeHandler);
  for (const path of ["/readyz", "/actor/room/action/say?key=a", "/about"]) {
    const answer = await asked(path);
    expect([answer.status, await answer.json()]).toMatchObject([
      404,
      { error: { group: "gateway", code: "not_found", message: expect.stringContaining("TROUPE_ENDPOINT") } },
    ]);
  }
  own.server.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 418 Of the program\r\n\r\n"));
  expect(await own.upgrade("/actor/room/connect?key=a")).toBe("HTTP/1.1 418 Of the program");
  expect(readdirSync(folder)).toEqual([]);
});

/** The line of one request, asked at an address of this machine; the Host is its sender's to choose. */
async function answered(own: OwnServer, address: string, path: string): Promise<string> {
  const socket = connect(own.port, address);
  const body = '{"args":["in"]}';
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const [bytes] = await once(socket, "data");
  socket.destroy();
  return String(bytes);
}

/** An address by which other machines reach this one. */
const reachable = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

test.skipIf(reachable === undefined)(
  "a server that other machines reach serves nobody from there without auth, and the log says so once",
  async () => {
    vi.stubEnv("TROUPE_LOG", "error");
    const log = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    await using own = await new OwnServer().listen({ host: "::" });
    const say = "/actor/room/action/say?key=a";
    const lines: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      lines.push(await answered(own, reachable ?? "", say));
      lines.push(await own.upgrade("/actor/room/connect?key=a", "Host: localhost\r\n", reachable));
    }
    const told = log.mock.calls.map(([line]) => String(line)).filter((line) => line.includes("unsafe_bind"));
    log.mockRestore();
    expect(lines.map((line) => line.split("\r\n")[0])).toEqual(lines.map(() => "HTTP/1.1 403 Forbidden"));
    expect(lines[0]).toContain("bind it to 127.0.0.1, or give setup() allowedHosts, allowedOrigins and auth");
    expect(told).toHaveLength(1);
    expect(await answered(own, reachable ?? "", "/livez")).toContain("HTTP/1.1 200 OK");
    // From this machine it is as before, and nobody else has said anything.
    expect(await answered(own, "127.0.0.1", say)).toContain('{"output":1}');
  },
);

test.skipIf(reachable === undefined)("with auth it serves them by its rules", async () => {
  await using own = await new OwnServer({ auth: "application" }).listen({ host: "0.0.0.0" });
  expect(await answered(own, reachable ?? "", "/actor/room/action/say?key=a")).toContain('{"output":1}');
});

test("an upgrade that is nobody's is answered and closed; where others listen it is theirs", async () => {
  await using own = await new OwnServer().listen({ upgrades: false });
  own.server.on("upgrade", own.registry.upgrade);
  const ended = new WebSocket(own.url("/socket.io/"));
  const [error] = await once(ended, "error");
  expect(String(error)).toContain("404");
  const sole = (path: string) => own.upgrade(path);
  expect(await sole("/wrong/actor/room/connect?key=a")).toBe("HTTP/1.1 404 Not Found");
  // A listener of the program's own that asks the registry: what isn't the registry's stays its program's.
  own.server.removeAllListeners("upgrade").on("upgrade", (request, socket, head) => {
    if (!own.registry.upgrade(request, socket, head)) socket.end("HTTP/1.1 418 Mine\r\n\r\n");
  });
  expect(await sole("/other")).toBe("HTTP/1.1 418 Mine");
});

test("while it stops, whoever asks why a socket doesn't open is told of the stop", async () => {
  await using own = await new OwnServer().listen();
  const url = `http://127.0.0.1:${own.port}/actor/room/connect?key=a`;
  expect((await fetch(url)).status).toBe(426);
  const stream = own.client().room.getOrCreate(["a"]);
  const held = new WebSocket(own.url("/actor/room/websocket?troupe-key=a"));
  await once(held, "open");
  expect(await stream.say("before")).toBe(1);
  const stopped = own.registry.stop();
  const answer = await fetch(url);
  await stopped;
  expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: "stopping" } }]);
});
