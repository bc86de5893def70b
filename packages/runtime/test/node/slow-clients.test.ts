/** Clients that send slowly, too much, or read nothing, on a real port: each costs little, and not for long. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { listen } from "../../src/node/http-server.ts";
import { WsLink } from "../../src/node/ws-link.ts";
import { Driver } from "../driver/driver.ts";

const echo = actor({
  createState: (_c, input: string | undefined) => ({ input: input?.length }),
  actions: { input: (c) => c.state.input },
});

const times = { headersMs: 60, requestMs: 120, lookMs: 20, closeMs: 60 };

async function serve() {
  const driver = await Driver.start({ echo });
  const { gateway } = driver.runtime;
  const door = await listen({ env: driver.world, gateway, host: "127.0.0.1", port: 0, times });
  return {
    driver,
    gateway,
    port: door.port,
    async [Symbol.asyncDispose]() {
      const closed = door.close();
      door.end();
      await closed;
      await driver[Symbol.asyncDispose]();
    },
  };
}

/** A connection that has sent `text` and sends nothing more. Gives what comes until the other end closes. */
async function stalled(port: number, text: string): Promise<string> {
  const socket: Socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(text);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  return Buffer.concat(chunks).toString();
}

async function opened(port: number, query = ""): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/actor/echo/connect${query}`, ["troupe"]);
  socket.on("error", () => {});
  await once(socket, "open");
  return socket;
}

const HELLO = '{"kind":"hello","versions":[1],"encoding":"json"}';

test("headers that don't end, and a body that doesn't, are answered with 408 and closed", async () => {
  await using serving = await serve();
  const head = "POST /actor/echo/action/input HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  expect(await stalled(serving.port, head)).toMatch(/^HTTP\/1\.1 408 /);
  expect(await stalled(serving.port, `${head}Content-Length: 100\r\n\r\n{"args"`)).toMatch(
    /^HTTP\/1\.1 408 [\s\S]*"request_timeout"/,
  );
  // What the half body took is given back.
  expect(serving.gateway.bodies.used).toBe(0);
});

test("bodies that don't come are told of one by one, whoever among them is gone before", async () => {
  await using serving = await serve();
  const half =
    'POST /actor/echo/action/input HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"args"';
  const first = stalled(serving.port, half);
  const second = connect(serving.port, "127.0.0.1");
  second.on("error", () => {});
  second.write(half);
  const third = stalled(serving.port, half);
  await once(second, "connect");
  second.destroy();
  for (const answer of [await first, await third, await stalled(serving.port, half)])
    expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"request_timeout"/);
  expect(serving.gateway.bodies.used).toBe(0);
});

test("a hello that doesn't end is cut off at its limit, long before a connection's largest message", async () => {
  await using serving = await serve();
  const socket = await opened(serving.port);
  const closed = once(socket, "close") as Promise<[number, Buffer]>;
  const chunk = Buffer.alloc(1024 * 1024, "x");
  let sent = 0;
  while (socket.readyState === WebSocket.OPEN && sent < limits.incomingMessageBytes) {
    await new Promise<void>((resolve) => socket.send(chunk, { fin: false }, () => resolve()));
    sent += chunk.length;
  }
  // Its own data may be in the way of the close frame: then the link just breaks.
  const [code, reason] = await closed;
  expect([`1009 connection.hello_too_long`, "1006 "]).toContain(`${code} ${String(reason)}`);
  expect(sent).toBeLessThan(limits.incomingMessageBytes);
  expect(serving.gateway.bodies.used).toBe(0);
  const next = await opened(serving.port);
  next.send(HELLO);
  expect(String((await once(next, "message"))[0])).toContain("welcome");
});

test("a hello with the largest input fits, and the frames behind it may be larger", async () => {
  await using serving = await serve();
  const socket = await opened(serving.port, "?key=a");
  const input = "i".repeat(limits.inputBytes - 2);
  socket.send(JSON.stringify({ ...(JSON.parse(HELLO) as object), input }));
  expect(String((await once(socket, "message"))[0])).toContain("welcome");
  expect(serving.gateway.bodies.used).toBe(0);
  socket.send('{"kind":"action","id":1,"name":"input","args":[]}');
  expect(String((await once(socket, "message"))[0])).toContain(`${limits.inputBytes - 2}`);
});

test("strangers who send halves of hellos share the room of bodies, and the one too many is told to come later", async () => {
  await using serving = await serve();
  const { bodies } = serving.gateway;
  const waiting = await opened(serving.port);
  waiting.send("half", { fin: false });
  while (bodies.used === 0) await new Promise(setImmediate);
  const held = limits.gatewayBodyBytes - bodies.used;
  bodies.take(held);
  const late = await opened(serving.port);
  const closed = once(late, "close") as Promise<[number, Buffer]>;
  late.send(HELLO.slice(0, 5), { fin: false });
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1013, "gateway.busy"]);
  bodies.give(held);
  const gone = once(waiting, "close");
  waiting.terminate();
  await gone;
  while (bodies.used > 0) await new Promise(setImmediate);
});

test("a closed socket whose client doesn't read is cut off in time", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[WebSocket, IncomingMessage]>;
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  const [[ws, request]] = await Promise.all([accepted, once(client, "open")]);
  client.pause();
  const link = new WsLink(ws, { socket: request.socket, closeTimeoutMs: times.closeMs });
  const closed = new Promise<number>((resolve) => link.attach({ message: () => {}, closed: resolve }));
  for (let sent = 0; sent < 16; sent += 1) link.send(new Uint8Array(1024 * 1024));
  link.close(1013, "connection.slow_reader");
  expect(await closed).toBe(1006);
  client.terminate();
  server.close();
});
