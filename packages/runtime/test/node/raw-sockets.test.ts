/** Raw WebSockets on a real port: the handshake, real clients, and a client that is silently gone. */
import { once } from "node:events";
import { UserError } from "@troupe/base";
import { createClient, type UniversalWebSocket } from "@troupe/client";
import { actor, type Registry, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { WebSocket } from "ws";

const MiB = 1024 * 1024;

const echo = actor({
  state: { topic: "none", said: 0 },
  onCreate: (c, input?: { topic: string }) => {
    if (input !== undefined) c.state.topic = input.topic;
  },
  onWebSocket: (c, websocket, { request }) => {
    websocket.send(`${websocket.protocol}|${new URL(request.url).pathname}|${c.state.topic}`);
    websocket.onmessage = (event) => {
      c.state.said += 1;
      websocket.send(event.data);
    };
  },
  actions: { end: (c) => c.destroy(), said: (c) => c.state.said },
});

let door: PromiseWithResolvers<void> | undefined;

/** Takes long messages, and lets nobody in before the door is open. */
const large = actor({
  options: { maxIncomingMessageSize: 4 * MiB },
  onBeforeConnect: async () => await door?.promise,
  onWebSocket: (_c, websocket) => {
    websocket.onmessage = ({ data }) => websocket.send(String(typeof data === "string" ? data.length : -1));
  },
  actions: {},
});

type Echo = Registry<{ echo: typeof echo; large: typeof large }>;

async function serve(access: { token?: string; auth?: "token" } = {}) {
  const registry = setup({ use: { echo, large }, ...access });
  const { endpoint } = await registry.start({
    port: 0,
    dataDir: "unused",
    durability: "memory",
    signals: false,
    banner: false,
  });
  const { token } = access;
  const client = createClient<Echo>({ endpoint, ...(token === undefined ? {} : { token }) });
  return {
    client,
    socketUrl: `ws${endpoint.slice("http".length)}`,
    [Symbol.asyncDispose]: async () => {
      await client.dispose();
      await registry.stop();
    },
  };
}

/** The next `count` messages. */
function heard(socket: UniversalWebSocket, count: number): Promise<unknown[]> {
  const messages: unknown[] = [];
  return new Promise((resolve, reject) => {
    socket.addEventListener("message", ({ data }) => {
      messages.push(typeof data === "string" ? data : new Uint8Array(data));
      if (messages.length === count) resolve(messages);
    });
    socket.addEventListener("close", ({ code, reason }) => reject(new Error(`closed: ${code} ${reason}`)));
  });
}

test("handle.webSocket() is a standard WebSocket: texts and bytes, with a path and a subprotocol of the caller's", async () => {
  await using server = await serve();
  const socket = await server.client.echo
    .getOrCreate("a,b")
    .webSocket("/rooms/7?x=1", ["chat.v2", "chat.v1"]);
  const messages = heard(socket, 3);
  socket.onopen = () => {
    socket.send("one");
    socket.send(Uint8Array.of(1, 2, 3).subarray(1));
  };
  expect(await messages).toEqual(["chat.v2|/rooms/7|none", "one", Uint8Array.of(2, 3)]);
  expect(socket.protocol).toBe("chat.v2");
  expect(await server.client.echo.get("a,b").said()).toBe(2);
});

test("with a token, parameters and an input: none of them is in the address, and a subprotocol is agreed on all the same", async () => {
  await using server = await serve({ token: "s3cret", auth: "token" });
  const handle = server.client.echo.getOrCreate("a", { createWithInput: { topic: "cats" } });
  const socket = await handle.webSocket();
  expect(await heard(socket, 1)).toEqual(["troupe|/|cats"]);
  expect(socket.url).not.toContain("s3cret");
  const stranger = new WebSocket(`${server.socketUrl}/actor/echo/websocket`);
  stranger.on("error", () => {});
  const [, response] = await once(stranger, "unexpected-response");
  expect(response.statusCode).toBe(401);
});

test("a page of another origin is refused before the upgrade", async () => {
  await using server = await serve();
  const foreign = new WebSocket(`${server.socketUrl}/actor/echo/websocket`, {
    origin: "http://evil.example",
  });
  foreign.on("error", () => {});
  const [, response] = await once(foreign, "unexpected-response");
  expect(response.statusCode).toBe(403);
});

test("any WebSocket client will do: many messages come back in order, and the actor's end reaches it", async () => {
  await using server = await serve();
  const socket = new WebSocket(`${server.socketUrl}/actor/echo/websocket?troupe-key=a`);
  const messages: string[] = [];
  socket.on("message", (data) => messages.push(String(data)));
  await once(socket, "open");
  const count = 500;
  for (let number = 0; number < count; number += 1) socket.send(String(number));
  while (messages.length <= count) await once(socket, "message");
  expect(messages.slice(1)).toEqual(Array.from({ length: count }, (_, number) => String(number)));
  const closed = once(socket, "close");
  await server.client.echo.get("a").end();
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1000, "actor.destroyed"]);
});

test("a client that breaks off in mid-socket leaves an actor that goes on", async () => {
  await using server = await serve();
  const socket = new WebSocket(`${server.socketUrl}/actor/echo/websocket?troupe-key=a`);
  await once(socket, "message");
  socket.send("x");
  await once(socket, "message");
  socket.terminate();
  expect(await server.client.echo.get("a").said()).toBe(1);
});

test("a message that is too long is cut off while it comes: nobody holds 32 MiB of it", async () => {
  await using server = await serve();
  const socket = new WebSocket(`${server.socketUrl}/actor/echo/websocket`);
  await once(socket, "message");
  const closed = once(socket, "close");
  // Parts of one message that never ends.
  socket.send("x".repeat(60_000), { fin: false });
  socket.ping();
  await once(socket, "pong");
  expect(socket.readyState).toBe(WebSocket.OPEN);
  for (let part = 0; part < 4; part += 1) socket.send("x".repeat(60_000), { fin: false });
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1009, "message.incoming_too_long"]);
});

test("what is counted is one message: long talk, pings and parts that end are not cut off", async () => {
  await using server = await serve();
  const socket = new WebSocket(`${server.socketUrl}/actor/echo/websocket`);
  await once(socket, "message");
  let answers = 0;
  socket.on("message", () => (answers += 1));
  for (let turn = 0; turn < 20; turn += 1) {
    socket.send("x".repeat(30_000), { fin: false });
    socket.ping("y".repeat(125));
    socket.send("x".repeat(30_000));
  }
  while (answers < 20) await once(socket, "message");
  // More bytes than a message may have, and none of them one of a message.
  let pongs = 0;
  socket.on("pong", () => (pongs += 1));
  for (let turn = 1; turn <= 60; turn += 1) {
    for (let ping = 0; ping < 20; ping += 1) socket.ping("z".repeat(125));
    while (pongs < turn * 20) await once(socket, "pong");
  }
  socket.send("last");
  while (answers < 21) await once(socket, "message");
  expect(socket.readyState).toBe(WebSocket.OPEN);
  socket.close();
  await once(socket, "close");
});

test("a long message for an actor that wakes is held back by its sender, and comes whole", async () => {
  await using server = await serve();
  door = Promise.withResolvers();
  const socket = new WebSocket(`${server.socketUrl}/actor/large/websocket`);
  await once(socket, "open");
  const answer = once(socket, "message");
  socket.send("x".repeat(3 * MiB));
  socket.ping();
  // Another socket's whole way there and back: what could be read of the first one has been.
  const neighbour = new WebSocket(`${server.socketUrl}/actor/echo/websocket`);
  await once(neighbour, "message");
  door.resolve();
  expect(String((await answer)[0])).toBe(String(3 * MiB));
  neighbour.terminate();
  socket.terminate();
});

test("a socket that is refused while its client talks is closed with its reason", async () => {
  await using server = await serve();
  door = Promise.withResolvers();
  const socket = new WebSocket(`${server.socketUrl}/actor/large/websocket`);
  await once(socket, "open");
  socket.send("hello");
  const closed = once(socket, "close");
  door.reject(new UserError("no", { code: "no" }));
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1008, "user.no"]);
  door = undefined;
});
