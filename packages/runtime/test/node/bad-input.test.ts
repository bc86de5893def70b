/** Thousands of bad requests, handshakes, frames and half-open sockets at a real server: it goes on, and holds nothing of them. */
import { once } from "node:events";
import { connect } from "node:net";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { ServerProcess } from "./server-process.ts";

const ROUNDS = 5;
/** Of each kind in a round. */
const EACH = 50;
const AT_ONCE = 25;
const MIB = 1024 * 1024;

const head = (path: string, more = ""): string => `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}`;
const whole = (path: string, body: string): string =>
  `${head(path, `Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`)}${body}`;
const handshake = (more: string): string =>
  `GET /actor/echo/connect HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;

/** What is sent on a connection of its own, until the server closes it. */
const refused: Readonly<Record<string, string>> = {
  "no HTTP": "HELLO\r\n\r\n",
  "endless headers": head("/", `X-Long: ${"x".repeat(limits.headerBytes)}\r\n\r\n`),
  "a foreign host": "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
  "a body that isn't JSON": whole("/actor/echo/action/args", "{".repeat(10_000)),
  "a value that is too deep": whole(
    "/actor/echo/action/args",
    `{"args":${"[".repeat(1_000)}${"]".repeat(1_000)}}`,
  ),
  "a __proto__": whole("/actor/echo/action/args", '{"args":[{"__proto__":{"a":1}}]}'),
  "an unknown actor": whole("/actor/nobody/action/args", '{"args":[]}'),
  "an unknown action": whole("/actor/echo/action/nothing", '{"args":[]}'),
  "a key that is too long": whole(`/actor/echo/action/args?key=${"k".repeat(2_000)}`, '{"args":[]}'),
  "a handshake without a key": handshake("Sec-WebSocket-Version: 13\r\n"),
  "a handshake of another version": handshake(
    "Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
  ),
};

/** What is sent before the client is gone without a word. */
const halfOpen: Readonly<Record<string, string>> = {
  "half of the headers": head("/actor/echo/action/args", "X-Half: "),
  "half of a body": head(
    "/actor/echo/action/args",
    `Content-Length: 100000\r\n\r\n{"args":["${"x".repeat(10_000)}`,
  ),
};

const HELLO = '{"kind":"hello","versions":[1],"encoding":"json"}';

/** Messages on a WebSocket, until the server closes it. */
const sockets: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
  "no hello": ["{"],
  "a version that nobody speaks": ['{"kind":"hello","versions":[99],"encoding":"json"}'],
  "a frame that isn't one": [HELLO, "{}"],
  "CBOR in JSON's place": [HELLO, new Uint8Array(1_000)],
  "a frame past the limit": [HELLO, `{"kind":"subscribe","id":1,"event":"${"x".repeat(70_000)}"}`],
};

async function untilClosed(port: number, text: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).resume();
  socket.write(text);
  await once(socket, "close");
}

async function leave(port: number, text: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).resume();
  await new Promise((written) => socket.write(text, written));
  socket.resetAndDestroy();
}

async function talk(port: number, messages: readonly (string | Uint8Array)[]): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/actor/echo/connect`, ["troupe"]);
  socket.on("error", () => {});
  await once(socket, "open");
  for (const message of messages) socket.send(message);
  await once(socket, "close");
}

async function round(port: number): Promise<number> {
  const kinds: readonly (() => Promise<void>)[] = [
    ...Object.values(refused).map((text) => () => untilClosed(port, text)),
    ...Object.values(halfOpen).map((text) => () => leave(port, text)),
    ...Object.values(sockets).map((messages) => () => talk(port, messages)),
  ];
  const left = Array.from({ length: EACH }, () => kinds).flat();
  const sent = left.length;
  const worker = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return sent;
}

async function add(port: number): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/actor/echo/action/add`, {
    method: "POST",
    body: "{}",
  });
  return await answer.json();
}

test("memory doesn't grow after thousands of bad requests, frames and half-open sockets, and the next request works", async () => {
  using server = new ServerProcess("./bad-input-child.ts");
  const { port = 0 } = await server.heard("port");
  const memory = async (): Promise<{ readonly heap: number; readonly rss: number }> => {
    const heard = once(server.process, "message");
    server.process.send("measure");
    const [told] = (await heard) as [{ readonly heap: number; readonly rss: number }];
    return told;
  };
  // What a first round makes (code, pools, the actor) stays.
  await round(port);
  expect(await add(port)).toEqual({ output: 1 });
  const before = await memory();
  let sent = 0;
  for (let n = 0; n < ROUNDS; n += 1) sent += await round(port);
  expect(sent).toBeGreaterThan(4_000);
  expect(await add(port)).toEqual({ output: 2 });
  const after = await memory();
  const grown = { heap: (after.heap - before.heap) / MIB, rss: (after.rss - before.rss) / MIB };
  // 1 kB kept of each would be 4 MiB.
  expect(grown.heap, JSON.stringify(grown)).toBeLessThan(3);
  expect(grown.rss, JSON.stringify(grown)).toBeLessThan(96);
  expect(server.complaints).toEqual([]);
}, 60_000);
