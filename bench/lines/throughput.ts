/**
 * Throughput against the floor: the same load on a raw server and on Troupe, in turn, the ratio pair by pair.
 */
import type { Figure, Line } from "../line.ts";
import { BenchLoad, BenchServer } from "../processes.ts";
import type { LoadOrder, LoadResult, ServerName } from "../protocol.ts";
import { median } from "../statistics.ts";

interface Measured {
  readonly rate: number;
  readonly cpuUs: number;
  readonly bytes: number;
}

type OrderFor = (options: { port: number; troupe: boolean; warm: boolean }) => LoadOrder;

async function one(load: BenchLoad, name: ServerName, orderFor: OrderFor): Promise<Measured> {
  await using server = await BenchServer.start(name);
  const of = { port: server.port, troupe: name === "troupe" };
  await load.run(orderFor({ ...of, warm: true }));
  await server.usage();
  const result: LoadResult = await load.run(orderFor({ ...of, warm: false }));
  const usage = await server.usage();
  return {
    rate: result.calls / result.seconds,
    cpuUs: usage.cpuUs / result.calls,
    bytes: usage.writtenBytes / result.calls,
  };
}

async function pairs(rounds: number, orderFor: OrderFor): Promise<Figure> {
  using load = new BenchLoad();
  const ratios: number[] = [];
  const floors: Measured[] = [];
  const ours: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    const floor = await one(load, "floor", orderFor);
    const troupe = await one(load, "troupe", orderFor);
    floors.push(floor);
    ours.push(troupe);
    ratios.push(troupe.rate / floor.rate);
  }
  const rate = (of: readonly Measured[]): string =>
    `${(median(of.map((each) => each.rate)) / 1000).toFixed(1)}k/s`;
  return {
    value: median(ratios),
    cpuUs: median(ours.map((each) => each.cpuUs)),
    floorCpuUs: median(floors.map((each) => each.cpuUs)),
    bytes: median(ours.map((each) => each.bytes)),
    detail: `${rate(ours)} against ${rate(floors)}`,
  };
}

/** HTTP and WebSocket actions, and broadcasts. */
export const throughputLines: readonly Line[] = [
  {
    name: "http-1000-keys",
    work: "HTTP action, 1,000 keys, 256 callers",
    unit: "ratio",
    target: 0.6,
    better: "greater",
    peers: "workerd 0.06, Restate 0.04, RivetKit 0.01",
    measure: (rounds) =>
      pairs(rounds, ({ port, warm }) => ({
        kind: "http",
        port,
        keys: 1_000,
        callers: 256,
        durationMs: warm ? 800 : 2_000,
        mode: "add",
      })),
  },
  {
    name: "ws-1",
    work: "WebSocket action, 1 connection, 256 in flight",
    unit: "ratio",
    target: 0.45,
    better: "greater",
    peers: "workerd 0.04, RivetKit 0.003",
    measure: (rounds) =>
      pairs(rounds, ({ port, warm, troupe }) => ({
        kind: "ws",
        port,
        connections: 1,
        inFlight: 256,
        durationMs: warm ? 800 : 2_000,
        troupe,
      })),
  },
  {
    name: "ws-1000",
    work: "WebSocket action, 1,000 connections, 256 in flight",
    unit: "ratio",
    target: 0.6,
    better: "greater",
    peers: "workerd 0.07, RivetKit 0.07 (100 connections)",
    measure: (rounds) =>
      pairs(rounds, ({ port, warm, troupe }) => ({
        kind: "ws",
        port,
        connections: 1_000,
        inFlight: 256,
        durationMs: warm ? 800 : 2_000,
        troupe,
      })),
  },
  {
    name: "broadcast",
    work: "broadcast of 1,000 × 100 B to 1,000 clients",
    unit: "ratio",
    target: 0.8,
    better: "greater",
    peers: "workerd 0.65 to 0.78, RivetKit 0.02 (delivered)",
    measure: (rounds) =>
      pairs(rounds, ({ port, warm, troupe }) => ({
        kind: "broadcast",
        port,
        connections: 1_000,
        messages: warm ? 50 : 1_000,
        bytes: 100,
        troupe,
      })),
  },
  {
    name: "stream",
    work: "streamed action, 100,000 items of 100 B to 1 client",
    unit: "ratio",
    target: 0.5,
    better: "greater",
    peers: "none has it",
    measure: (rounds) =>
      pairs(rounds, ({ port, warm, troupe }) => ({
        kind: "stream",
        port,
        items: warm ? 20_000 : 100_000,
        bytes: 100,
        troupe,
      })),
  },
];
