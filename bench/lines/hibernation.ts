/**
 * Sockets whose actors sleep: what each costs, and how soon a message is answered by an actor that it has woken.
 */
import type { Figure, Line } from "../line.ts";
import { BenchLoad, BenchServer } from "../processes.ts";
import type { ServerName } from "../protocol.ts";
import { median, quantile } from "../statistics.ts";

const SOCKETS = 10_000;
/** All actors sleep after this. */
const REST_MS = 3_000;

/** Bytes of heap and buffers that one more socket costs a server. */
async function bytesOfSocket(name: ServerName): Promise<number> {
  using load = new BenchLoad();
  await using server = await BenchServer.start(name);
  const { port } = server;
  const troupe = name === "troupe";
  const hold = async (sockets: number): Promise<number> => {
    await load.run({ kind: "hold", port, sockets, troupe });
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    await server.settledHeapBytes();
    return await server.settledHeapBytes();
  };
  const before = await hold(500);
  return ((await hold(SOCKETS)) - before) / SOCKETS;
}

async function asleep(rounds: number): Promise<Figure> {
  const over: number[] = [];
  const details: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const floor = await bytesOfSocket("floor");
    const troupe = await bytesOfSocket("troupe");
    over.push(troupe - floor);
    details.push(`${Math.round(troupe)} against ${Math.round(floor)}`);
  }
  return {
    value: median(over),
    detail: `bytes a socket, 10,000 of them: ${details[details.length >> 1] ?? ""}`,
  };
}

async function wakeByMessage(rounds: number): Promise<Figure> {
  const medians: number[] = [];
  for (let round = 0; round < rounds; round++) {
    using load = new BenchLoad();
    await using server = await BenchServer.start("troupe");
    await load.run({ kind: "hold", port: server.port, sockets: 1_000, troupe: true });
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    // Code that runs for the first time is compiled for the first time.
    await load.run({ kind: "wake", calls: 1_000 });
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    medians.push(quantile((await load.run({ kind: "wake", calls: 1_000 })).latencies, 0.5));
  }
  return {
    value: median(medians),
    detail: "p50 from the message to the reply, which is durable; one after the other",
  };
}

/** Hibernation. */
export const hibernationLines: readonly Line[] = [
  {
    name: "hibernating",
    work: "memory of a socket whose actor sleeps, over the floor's socket",
    unit: "bytes",
    target: 2_048,
    better: "less",
    peers: "none known",
    measure: asleep,
  },
  {
    name: "wake-by-message",
    work: "message to a sleeping actor over its open socket, p50",
    unit: "ms",
    target: 2,
    better: "less",
    peers: "wake by request, p50: workerd 1.4 to 1.9 ms, RivetKit 123 ms",
    measure: wakeByMessage,
  },
];
