/**
 * Latencies of single callers, and what a new, a sleeping, and a known actor costs.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Figure, Line } from "../line.ts";
import { BenchLoad, BenchServer } from "../processes.ts";
import type { LoadOrder, LoadResult, ServerName } from "../protocol.ts";
import { median, quantile } from "../statistics.ts";

type HttpOrder = Omit<LoadOrder & { kind: "http" }, "kind" | "port">;

const single: HttpOrder = { keys: 1, callers: 1, durationMs: 1_000, mode: "add" };

async function http(load: BenchLoad, server: BenchServer, order: HttpOrder): Promise<LoadResult> {
  return await load.run({ kind: "http", port: server.port, ...order });
}

async function p50(load: BenchLoad, name: ServerName, order: HttpOrder): Promise<number> {
  await using server = await BenchServer.start(name);
  // Warmed by the same work: code that runs for the first time is compiled for the first time.
  await http(load, server, { ...order, durationMs: 800, prefix: "warm" });
  return quantile((await http(load, server, order)).latencies, 0.5);
}

/** The p50 of appending 4 KiB and syncing it, ms. */
function fdatasyncP50(): number {
  const dir = mkdtempSync(join(tmpdir(), "troupe-bench-sync-"));
  const file = openSync(join(dir, "log"), "w");
  const block = Buffer.alloc(4_096);
  const times: number[] = [];
  for (let n = 0; n < 500; n++) {
    block.writeUInt32LE(n);
    writeSync(file, block);
    const before = performance.now();
    fdatasyncSync(file);
    times.push(performance.now() - before);
  }
  closeSync(file);
  rmSync(dir, { recursive: true });
  return quantile(
    times.sort((a, b) => a - b),
    0.5,
  );
}

async function oneCaller(rounds: number): Promise<Figure> {
  using load = new BenchLoad();
  const over: number[] = [];
  const details: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const floor = await p50(load, "floor", single);
    const sync = fdatasyncP50();
    const troupe = await p50(load, "troupe", single);
    over.push(troupe - floor - sync);
    details.push(`${troupe.toFixed(2)} against ${floor.toFixed(2)} + ${sync.toFixed(2)}`);
  }
  return { value: median(over), detail: `p50, ms: ${details[details.length >> 1] ?? ""}` };
}

async function newKey(rounds: number): Promise<Figure> {
  using load = new BenchLoad();
  const medians: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const order: HttpOrder = { ...single, mode: "fresh", prefix: `new${round}-` };
    floors.push(await p50(load, "floor", order));
    medians.push(await p50(load, "troupe", order));
  }
  const floor = `${median(floors).toFixed(2)} + ${fdatasyncP50().toFixed(2)}`;
  return {
    value: median(medians),
    detail: `p50 of a first call, one caller; floor and fdatasync ${floor} ms`,
  };
}

async function tenThousandActors(rounds: number): Promise<Figure> {
  using load = new BenchLoad();
  const seconds: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round < rounds; round++) {
    floors.push(await secondsOf(load, "floor"));
    seconds.push(await secondsOf(load, "troupe"));
  }
  const floor = `the floor answers as many requests in ${median(floors).toFixed(2)} s`;
  return { value: median(seconds), detail: `256 callers; ${floor}` };
}

async function secondsOf(load: BenchLoad, name: ServerName): Promise<number> {
  await using server = await BenchServer.start(name);
  await create(load, server, 2_000, "warm");
  return (await create(load, server, 10_000, "many")).seconds;
}

function create(load: BenchLoad, server: BenchServer, calls: number, prefix: string): Promise<LoadResult> {
  return http(load, server, { keys: 1, callers: 256, durationMs: 300_000, mode: "fresh", calls, prefix });
}

async function memory(rounds: number): Promise<Figure> {
  using load = new BenchLoad();
  const bytes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await using server = await BenchServer.start("troupe");
    await create(load, server, 2_000, "warm");
    const before = await server.settledHeapBytes();
    await create(load, server, 10_000, "many");
    bytes.push(((await server.settledHeapBytes()) - before) / 10_000);
  }
  return { value: median(bytes), detail: "heap and buffers after a full collection, 10,000 awake actors" };
}

async function wake(rounds: number): Promise<Figure> {
  using load = new BenchLoad();
  const over: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const awake = await p50(load, "troupe", { ...single, mode: "rested", keys: 100, durationMs: 2_000 });
    const asleep = await p50(load, "troupe", { ...single, mode: "napped", keys: 100, durationMs: 2_000 });
    over.push(asleep - awake);
  }
  return { value: median(over), detail: "p50 of a call to a sleeping actor, less one to an awake actor" };
}

async function known(rounds: number): Promise<Figure> {
  using load = new BenchLoad();
  const ratios: number[] = [];
  await using few = await BenchServer.start("troupe");
  await using many = await BenchServer.start("troupe");
  await create(load, few, 1_000, "k");
  await create(load, many, 100_000, "k");
  const cost = async (server: BenchServer): Promise<number> => {
    await server.usage();
    const result = await http(load, server, { keys: 1_000, callers: 64, durationMs: 1_500, mode: "add" });
    return (await server.usage()).cpuUs / result.calls;
  };
  await cost(few);
  await cost(many);
  for (let round = 0; round < rounds; round++) {
    const one = await cost(few);
    ratios.push((await cost(many)) / one);
  }
  return { value: median(ratios), detail: "CPU of an action, 1,000 keys in use" };
}

async function checkpoint(rounds: number): Promise<Figure> {
  using load = new BenchLoad();
  const ratios: number[] = [];
  const order: HttpOrder = { keys: 1_000, callers: 32, durationMs: 4_000, mode: "add" };
  const p99 = async (checkpointBytes: number): Promise<number> => {
    await using server = await BenchServer.start("troupe", { checkpointBytes });
    await http(load, server, { ...order, durationMs: 600 });
    return quantile((await http(load, server, order)).latencies, 0.99);
  };
  for (let round = 0; round < rounds; round++) {
    const without = await p99(16 * 1024 * 1024 * 1024);
    ratios.push((await p99(1024 * 1024)) / without);
  }
  return { value: median(ratios), detail: "p99 with a checkpoint at each MiB of log, against none" };
}

/** Single callers, new, sleeping and known actors, checkpoints. */
export const latencyLines: readonly Line[] = [
  {
    name: "http-1-caller",
    work: "HTTP action, 1 caller, p50 over the floor plus one fdatasync",
    unit: "ms",
    target: 0.15,
    better: "less",
    peers: "p50: workerd 0.41 ms, Restate 3.5 ms, RivetKit 92 ms (floor 0.07)",
    measure: oneCaller,
  },
  {
    name: "new-key",
    work: "first call to a new key, p50",
    unit: "ms",
    target: 0.6,
    better: "less",
    peers: "workerd 3.6 ms, Restate 3.2 ms, RivetKit 159 ms",
    measure: newKey,
  },
  {
    name: "new-actors",
    work: "10,000 new actors",
    unit: "s",
    target: 1,
    better: "less",
    peers: "workerd 23.9 s, Restate 6.2 s, RivetKit 67 s for 907",
    measure: tenThousandActors,
  },
  {
    name: "memory",
    work: "memory of an awake actor",
    unit: "bytes",
    target: 4_096,
    better: "less",
    peers: "RivetKit says 0.6 kB",
    measure: memory,
  },
  {
    name: "wake",
    work: "call to a sleeping actor, p50 over an awake one",
    unit: "ms",
    target: 0.3,
    better: "less",
    peers: "wake p50: workerd 1.4 to 1.9 ms, RivetKit 123 ms",
    measure: wake,
  },
  {
    name: "checkpoint",
    work: "p99 of an action while checkpoints run, against without",
    unit: "ratio",
    target: 3,
    better: "less",
    peers: "none known",
    measure: checkpoint,
  },
  {
    name: "known-actors",
    work: "cost of an action with 100,000 actors known, against 1,000",
    unit: "ratio",
    target: 1.2,
    better: "less",
    peers: "none known",
    measure: known,
  },
];
