/** A client that says more to a sleeping actor than is held for it: its own sends wait, and nothing is lost or overtaken. */
import { actor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { Latch } from "../driver/watch.ts";

const MESSAGES = 600;
const BYTES = 60 * 1024;

let asleep = new Latch();
let waking: Latch | undefined;
const heard: number[] = [];
let done = new Latch();

const slow = actor({
  options: { sleepTimeout: 20, onWakeTimeout: 60_000 },
  onSleep: () => asleep.open(),
  onWake: () => waking?.promise,
  onWebSocket: (_c, websocket) => {
    websocket.onmessage = ({ data }) => {
      heard.push(Number.parseInt(String(data), 10));
      if (heard.length === MESSAGES) done.open();
    };
  },
  actions: { said: () => heard.length, take: (_c, n: number, _bulk: string) => void heard.push(n) },
});

async function serve() {
  const registry = setup({ use: { slow } });
  const options = {
    port: 0,
    dataDir: "unused",
    durability: "memory",
    signals: false,
    banner: false,
  } as const;
  const { port } = await registry.start(options);
  asleep = new Latch();
  done = new Latch();
  heard.length = 0;
  waking = undefined;
  return { port, [Symbol.asyncDispose]: () => registry.stop() };
}

/** What is said piles up at the client: the gateway doesn't read it. */
async function pilesUp(socket: WebSocket): Promise<void> {
  await expect.poll(() => socket.bufferedAmount, { timeout: 10_000 }).toBeGreaterThan(8 * 1024 * 1024);
  const before = socket.bufferedAmount;
  await new Promise((resolve) => setImmediate(resolve));
  expect(socket.bufferedAmount).toBe(before);
}

test("a raw socket past heldBytes isn't read until its actor has heard what is held; then everything comes, in order", async () => {
  await using server = await serve();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/actor/slow/websocket/?troupe-key=a`);
  await new Promise((resolve) => socket.once("open", resolve));
  await asleep.promise;
  waking = new Latch();
  for (let n = 0; n < MESSAGES; n += 1) socket.send(`${n} `.padEnd(BYTES, "x"));
  await pilesUp(socket);
  expect(heard).toEqual([]);
  waking.open();
  await done.promise;
  expect(heard).toEqual(Array.from({ length: MESSAGES }, (_, n) => n));
  expect(socket.bufferedAmount).toBe(0);
  socket.terminate();
}, 30_000);

test("so is a connection: its actions are begun in order by the activation that they have woken", async () => {
  await using server = await serve();
  const url = `ws://127.0.0.1:${server.port}/actor/slow/connect?key=b&method=getOrCreate`;
  const socket = new WebSocket(url, ["troupe"]);
  await new Promise((resolve) => socket.once("open", resolve));
  socket.send('{"kind":"hello","versions":[1],"encoding":"json"}');
  let replies = 0;
  const all = new Promise<void>((resolve) => {
    socket.on("message", (data) => {
      if (String(data).includes('"reply"')) replies += 1;
      if (replies === MESSAGES) resolve();
    });
  });
  await asleep.promise;
  waking = new Latch();
  const bulk = "x".repeat(BYTES);
  for (let n = 0; n < MESSAGES; n += 1)
    socket.send(JSON.stringify({ kind: "action", id: n + 1, name: "take", args: [n, bulk] }));
  await pilesUp(socket);
  expect(heard).toEqual([]);
  waking.open();
  await all;
  expect(heard).toEqual(Array.from({ length: MESSAGES }, (_, n) => n));
  socket.terminate();
}, 30_000);
