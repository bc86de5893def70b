/**
 * The load generator, in a process of its own: takes orders over IPC, one at a time, and answers with what it measured.
 * It is lean on purpose (undici's Pool without pipelining, bare `ws`): what is measured is the server.
 */
import { Pool } from "undici";
import { WebSocket } from "ws";
import type { LoadOrder, LoadResult } from "./protocol.ts";

process.on("message", (order: LoadOrder) => {
  run(order).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on("disconnect", () => process.exit(0));

function run(order: LoadOrder): Promise<LoadResult> {
  if (order.kind === "http") return http(order);
  if (order.kind === "stream") return stream(order);
  if (order.kind === "queue") return queue(order);
  if (order.kind === "hold") return hold(order);
  if (order.kind === "wake") return wake(order);
  return order.kind === "ws" ? ws(order) : broadcast(order);
}

async function http(order: LoadOrder & { kind: "http" }): Promise<LoadResult> {
  const pool = new Pool(`http://127.0.0.1:${order.port}`, { connections: order.callers, pipelining: 1 });
  const prefix = order.prefix ?? "k";
  const latencies: number[] = [];
  let next = 0;
  const total = order.calls ?? Number.POSITIVE_INFINITY;
  const call = async (key: string, action: string): Promise<void> => {
    const answer = await pool.request({
      method: "POST",
      path: `/actor/${order.actor ?? "counter"}/action/${action}?key=${key}&method=getOrCreate`,
      headers: { "content-type": "application/json" },
      body: action === "add" ? '{"args":[1]}' : "{}",
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${text}`);
  };
  // Opening the connections isn't what is measured.
  await Promise.all(Array.from({ length: order.callers }, () => call("connect", "read")));
  const started = performance.now();
  const end = started + order.durationMs;
  const caller = async (): Promise<void> => {
    while (next < total && performance.now() < end) {
      const n = next++;
      const key = `${prefix}${order.mode === "fresh" ? n : n % order.keys}`;
      // Both pause, so that both start from the same rest; one of them has sent the actor to sleep.
      if (order.mode === "napped") await call(key, "nap");
      if (order.mode === "rested") await call(key, "read");
      if (order.mode === "napped" || order.mode === "rested")
        await new Promise((resolve) => setTimeout(resolve, 2));
      const before = performance.now();
      await call(key, order.mode === "add" || order.mode === "fresh" ? "add" : "read");
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: order.callers }, caller));
  const seconds = (performance.now() - started) / 1000;
  await pool.destroy();
  return result(latencies.length, seconds, latencies);
}

async function ws(order: LoadOrder & { kind: "ws" }): Promise<LoadResult> {
  const sockets = await Promise.all(
    Array.from({ length: order.connections }, (_, n) => open(order.port, `w${n}`, order.troupe)),
  );
  const latencies: number[] = [];
  const sentAt = new Map<number, number>();
  let id = 0;
  let answered = 0;
  const started = performance.now();
  const end = started + order.durationMs;
  await new Promise<void>((resolve) => {
    let open = 0;
    const send = (): void => {
      const n = id++;
      open += 1;
      if (n % 64 === 0) sentAt.set(n, performance.now());
      sockets[n % sockets.length]?.send(`{"kind":"action","id":${n},"name":"add","args":[1]}`);
    };
    const onMessage = (data: Buffer): void => {
      const frame: unknown = JSON.parse(data.toString());
      answered += 1;
      open -= 1;
      if (isReply(frame)) {
        const at = sentAt.get(frame.id);
        if (at !== undefined) latencies.push(performance.now() - at);
        sentAt.delete(frame.id);
      }
      if (performance.now() < end) send();
      else if (open === 0) resolve();
    };
    for (const socket of sockets) socket.on("message", onMessage);
    for (let n = 0; n < order.inFlight; n++) send();
  });
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.terminate();
  return result(answered, seconds, latencies);
}

/** As many messages as are taken in the time; each counts when its sender knows that it is stored. */
async function queue(order: LoadOrder & { kind: "queue" }): Promise<LoadResult> {
  const sockets = await Promise.all(
    Array.from({ length: order.connections }, () => open(order.port, "queue", order.troupe)),
  );
  let id = 0;
  let stored = 0;
  const started = performance.now();
  const end = started + order.durationMs;
  await new Promise<void>((resolve, reject) => {
    let open = 0;
    const send = (): void => {
      const n = id++;
      open += 1;
      const body = order.troupe ? `"name":"jobs","body":{"n":${n}}` : `"name":"jobs","args":[{"n":${n}}]`;
      sockets[n % sockets.length]?.send(`{"kind":"send","id":${n},${body}}`);
    };
    const onMessage = (data: Buffer): void => {
      if (data.includes('"error"')) reject(new Error(data.toString()));
      stored += 1;
      open -= 1;
      if (performance.now() < end) send();
      else if (open === 0) resolve();
    };
    for (const socket of sockets) socket.on("message", onMessage);
    for (let n = 0; n < order.inFlight; n++) send();
  });
  await handled(sockets[0], { id, messages: stored, troupe: order.troupe });
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.terminate();
  return result(stored, seconds, []);
}

/** Settles when the server has handled so many messages, and what it did is stored. */
function handled(
  socket: WebSocket | undefined,
  asked: { readonly id: number; readonly messages: number; readonly troupe: boolean },
): Promise<void> {
  if (!asked.troupe || socket === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    socket.removeAllListeners("message");
    const ask = (): void => socket.send(`{"kind":"action","id":${asked.id},"name":"handled","args":[]}`);
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { readonly output?: number };
      if ((frame.output ?? 0) >= asked.messages) resolve();
      else ask();
    });
    ask();
  });
}

async function broadcast(order: LoadOrder & { kind: "broadcast" }): Promise<LoadResult> {
  const sockets = await Promise.all(
    Array.from({ length: order.connections }, () => open(order.port, "stage", order.troupe)),
  );
  if (order.troupe) await Promise.all(sockets.map((socket) => subscribe(socket)));
  const expected = order.connections * order.messages;
  let delivered = 0;
  let started = 0;
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on("message", (data: Buffer) => {
        if (data.length < order.bytes) return;
        delivered += 1;
        if (delivered === expected) resolve();
      });
    }
    started = performance.now();
    const args = JSON.stringify([order.messages, "x".repeat(order.bytes)]);
    sockets[0]?.send(`{"kind":"action","id":1,"name":"shout","args":${args}}`);
  });
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.terminate();
  return result(delivered, seconds, []);
}

/** Takes a result item by item, and says so, as the client does: by halves of the window. */
async function stream(order: LoadOrder & { kind: "stream" }): Promise<LoadResult> {
  const socket = await open(order.port, "stream", order.troupe);
  let items = 0;
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { kind: string };
      if (frame.kind === "end") resolve();
      else if (frame.kind === "error") reject(new Error(data.toString()));
      else items += 1;
      if (items % 128 === 0) socket.send('{"kind":"credit","id":1,"items":128}');
    });
    const args = JSON.stringify([order.items, "x".repeat(order.bytes)]);
    socket.send(`{"kind":"action","id":1,"name":"stream","args":${args}}`);
  });
  const seconds = (performance.now() - started) / 1000;
  socket.terminate();
  if (items !== order.items) throw new Error(`${items} items of ${order.items}`);
  return result(items, seconds, []);
}

/** What `hold` has opened. */
const held: WebSocket[] = [];

async function hold(order: LoadOrder & { kind: "hold" }): Promise<LoadResult> {
  const started = performance.now();
  // A few at a time: a server's backlog of connections isn't what is measured.
  for (let n = 0; n < order.sockets; n += 100) {
    const some = Array.from({ length: Math.min(100, order.sockets - n) }, (_, more) => held.length + more);
    held.push(
      ...(await Promise.all(some.map((key) => open(order.port, `s${key}`, order.troupe, "sleeper")))),
    );
  }
  return result(order.sockets, (performance.now() - started) / 1000, []);
}

async function wake(order: LoadOrder & { kind: "wake" }): Promise<LoadResult> {
  const latencies: number[] = [];
  const started = performance.now();
  for (const socket of held.slice(0, order.calls)) {
    const before = performance.now();
    socket.send('{"kind":"action","id":1,"name":"add","args":[1]}');
    await new Promise((resolve) => socket.once("message", resolve));
    latencies.push(performance.now() - before);
  }
  return result(latencies.length, (performance.now() - started) / 1000, latencies);
}

function open(port: number, key: string, troupe: boolean, actor?: string): Promise<WebSocket> {
  const name = actor ?? (key === "queue" ? "worker" : "counter");
  const url = `ws://127.0.0.1:${port}/actor/${name}/connect?key=${key}&method=getOrCreate`;
  const socket = new WebSocket(url, troupe ? ["troupe"] : [], { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("open", () => {
      if (!troupe) {
        resolve(socket);
        return;
      }
      socket.send('{"kind":"hello","versions":[1],"encoding":"json"}');
      socket.once("message", () => resolve(socket));
    });
  });
}

function subscribe(socket: WebSocket): Promise<void> {
  socket.send('{"kind":"subscribe","id":0,"event":"shout"}');
  return new Promise((resolve) => socket.once("message", () => resolve()));
}

function isReply(value: unknown): value is { id: number } {
  return typeof value === "object" && value !== null && "id" in value;
}

function result(calls: number, seconds: number, latencies: number[]): LoadResult {
  latencies.sort((a, b) => a - b);
  const step = Math.max(1, Math.floor(latencies.length / 2_000));
  return { kind: "result", calls, seconds, latencies: latencies.filter((_, index) => index % step === 0) };
}
