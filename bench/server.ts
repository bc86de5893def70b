/**
 * A server under test, in a process of its own: `node bench/server.ts floor|troupe [dataDir] [checkpointBytes]`.
 *
 * The floor answers and does nothing else: the limit of what a Node program can reach on this machine. It speaks the
 * shapes of our protocol, so that both sides parse and build messages of the same size.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { actor, event, queue, workflow } from "@troupe/runtime";
import { type WebSocket, WebSocketServer } from "ws";
import { nodePlatform } from "../packages/runtime/src/node/setup.ts";
import { openLocalStore } from "../packages/runtime/src/node/sqlite/open-local-store.ts";
import { Registry } from "../packages/runtime/src/registry/registry.ts";
import { notesActor } from "./notes.ts";
import type { ServerUsage } from "./protocol.ts";

const [name, dataDir, checkpointBytes] = process.argv.slice(2);

/** Takes messages in batches, and counts them. */
const worker = actor({
  state: { handled: 0 },
  queues: { jobs: queue<{ n: number }>() },
  options: { sleepTimeout: 600_000, maxQueueSize: 100_000 },
  run: async (c) => {
    while (!c.aborted) {
      const jobs = await c.queue.nextBatch({ names: ["jobs"], count: 64 });
      for (const job of jobs) if (job.body.n >= 0) c.state.handled += 1;
    }
  },
  actions: { handled: (c) => c.state.handled },
});

/** Walks many steps, or commits as often: how long it took, ms. */
const walker = actor({
  state: { steps: 0 },
  options: { sleepTimeout: 600_000, actionTimeout: 600_000 },
  run: workflow(async () => {}, {
    workflows: {
      walk: async (ctx, steps: number) => {
        for (let n = 0; n < steps; n += 1)
          await ctx.step(`${n}`, async (step) => {
            step.state.steps += 1;
          });
      },
    },
  }),
  actions: {
    steps: async (c, steps: number) => {
      const before = performance.now();
      const { id } = await c.workflows.start("walk", { input: steps });
      await c.workflows.result(id);
      await c.saveState({ immediate: true });
      return performance.now() - before;
    },
    commits: async (c, commits: number) => {
      const before = performance.now();
      for (let n = 0; n < commits; n += 1) {
        c.state.steps += 1;
        await c.saveState({ immediate: true });
      }
      return performance.now() - before;
    },
  },
});

let lastCpu = process.cpuUsage();
let lastWritten = writtenBytes();

process.on("message", (message) => {
  if (message === "usage") process.send?.(usage());
  else if (message === "settled") process.send?.(settledHeapBytes());
});
process.on("disconnect", () => process.exit(0));

process.send?.({ kind: "ready", port: name === "floor" ? await floor() : await troupe() });

/**
 * Without a collection: when one comes between requests V8 throws away some hundred optimized functions, as what they were compiled
 * for lives in no request just then, and the next calls would pay for compiling them again.
 */
function usage(): ServerUsage {
  const cpu = process.cpuUsage(lastCpu);
  const written = writtenBytes();
  const answer = {
    kind: "usage",
    cpuUs: cpu.user + cpu.system,
    writtenBytes: written - lastWritten,
  } as const;
  lastCpu = process.cpuUsage();
  lastWritten = written;
  return answer;
}

/** Behind a collection. */
function settledHeapBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function writtenBytes(): number {
  try {
    return Number(/wchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function floor(): Promise<number> {
  let count = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      count += body === null ? 0 : 1;
      response.setHeader("content-type", "application/json");
      response.end(`{"output":${count}}`);
    });
  });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on("connection", (socket) => {
    socket.on("message", (data) => {
      const frame: unknown = JSON.parse(String(data));
      // A client of a stream gives credit: nobody's here.
      if (!isFrame(frame)) return;
      if (frame.name === "shout") {
        const [messages = 0, text = ""] = frame.args;
        for (let n = 0; n < messages; n++) {
          const shout = JSON.stringify({ kind: "event", name: "shout", args: [n, text] });
          for (const client of sockets.clients) client.send(shout);
        }
      }
      if (frame.name === "stream") {
        const [items = 0, text = ""] = frame.args;
        void sendItems(socket, items, text);
        return;
      }
      count += 1;
      socket.send(`{"kind":"reply","id":${frame.id},"output":${count}}`);
    });
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
  );
}

/** As fast as the socket takes them: with the pauses that its buffer asks for, and no other protocol. */
async function sendItems(socket: WebSocket, items: number, text: string): Promise<void> {
  for (let n = 0; n < items; n++) {
    socket.send(JSON.stringify({ kind: "item", id: 1, item: { n, text } }));
    if (n % 128 === 127) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.send('{"kind":"end","id":1}');
}

function isFrame(value: unknown): value is { id: number; name: string; args: [number?, string?] } {
  return typeof value === "object" && value !== null && "id" in value && "args" in value;
}

async function troupe(): Promise<number> {
  const counter = actor({
    state: { count: 0 },
    events: { shout: event<[n: number, text: string]>() },
    options: { sleepTimeout: 600_000 },
    actions: {
      add: (c, by: number) => {
        c.state.count += by;
        return c.state.count;
      },
      read: (c) => c.state.count,
      nap: (c) => c.sleep(),
      stream: async function* (_c, items: number, text: string) {
        for (let n = 0; n < items; n++) yield { n, text };
      },
      shout: (c, messages: number, text: string) => {
        for (let n = 0; n < messages; n++) c.broadcast("shout", n, text);
      },
    },
  });
  /** Sleeps as soon as it may. */
  const sleeper = actor({
    state: { count: 0 },
    options: { sleepTimeout: 100 },
    actions: { add: (c, by: number) => (c.state.count += by) },
  });
  const registry = new Registry(
    { use: { counter, worker, sleeper, walker, notes: notesActor(dataDir ?? ".troupe") } },
    {
      ...nodePlatform(),
      openStore: (options) =>
        openLocalStore({
          ...options,
          ...(checkpointBytes ? { checkpointBytes: Number(checkpointBytes) } : {}),
        }),
    },
  );
  const server = await registry.start({ port: 0, dataDir: dataDir ?? ".troupe", banner: false });
  return server.port;
}
