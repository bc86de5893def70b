/** What the gateway for agents adds to a model call, and what it takes. The provider is on this machine, and answers at once. */
import type { Figure, Line } from "../line.ts";
import { BenchProxy } from "../proxy/bench-proxy.ts";
import { type CallOptions, ModelClient } from "../proxy/client.ts";
import { ModelProvider } from "../proxy/model-provider.ts";
import { median } from "../statistics.ts";

const GIGABYTE = 1_000_000_000;
/**
 * A gateway runs for days, so what is measured is what it comes to. V8 compiles the last of what is hot behind some 15,000 calls; until
 * then that takes up to a quarter of the time, of either proxy.
 */
const WARM_UP = 20_000;
const CALLERS = 32;
const CALLS = 400;

async function warm(client: ModelClient, urls: readonly string[], options: CallOptions = {}): Promise<void> {
  for (const url of urls) await client.load(url, { callers: CALLERS, ends: { calls: WARM_UP }, ...options });
}

/** The middle of what lies between calls through a proxy and calls without it, made in turns. */
async function added(rounds: number, options: CallOptions, of: "first" | "last"): Promise<Figure> {
  await using provider = await ModelProvider.start();
  await using floor = await BenchProxy.start("floor", provider.url);
  await using troupe = await BenchProxy.start("troupe", provider.url);
  using client = new ModelClient();
  const ways = [provider.url, floor.url, troupe.url];
  await warm(client, ways, options);
  const middles: number[][] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    const times: number[][] = [[], [], []];
    for (let n = 0; n < CALLS; n += 1)
      for (const [way, url] of ways.entries()) times[way]?.push((await client.call(url, options))[of]);
    for (const [way, each] of times.entries()) middles[way]?.push(median(each));
  }
  const [direct = Number.NaN, bare = Number.NaN, ours = Number.NaN] = middles.map(median);
  const absolute = [direct, bare, ours].map((ms) => ms.toFixed(2)).join(", ");
  return { value: ours - direct, detail: `p50 ${absolute} ms: directly, a bare proxy, Troupe` };
}

/** Both are warm, and called in turns. */
async function throughput(rounds: number): Promise<Figure> {
  await using provider = await ModelProvider.start();
  await using floor = await BenchProxy.start("floor", provider.url);
  await using troupe = await BenchProxy.start("troupe", provider.url);
  using client = new ModelClient();
  const proxies = [floor, troupe];
  const rates: number[][] = [[], []];
  const cpu: number[][] = [[], []];
  await warm(
    client,
    proxies.map(({ url }) => url),
  );
  for (let round = 0; round < rounds; round += 1)
    for (const [n, proxy] of proxies.entries()) {
      await proxy.cpuUs();
      const { rate, calls } = await client.load(proxy.url, { callers: CALLERS, ends: { durationMs: 2_000 } });
      rates[n]?.push(rate);
      cpu[n]?.push((await proxy.cpuUs()) / calls);
    }
  const [bare = [], ours = []] = rates;
  const [floorCpuUs = Number.NaN, cpuUs = Number.NaN] = cpu.map(median);
  return {
    value: median(ours.map((rate, round) => rate / (bare[round] ?? Number.NaN))),
    cpuUs,
    floorCpuUs,
    detail: `${Math.round(median(ours))}/s against ${Math.round(median(bare))}/s`,
  };
}

/** What a long stream takes of memory, at most, over what the gateway took before it. */
async function longStream(): Promise<Figure> {
  await using provider = await ModelProvider.start();
  await using troupe = await BenchProxy.start("troupe", provider.url);
  using client = new ModelClient();
  await warm(client, [troupe.url], { streamed: true });
  const { rssBytes: before } = await troupe.settledMemory();
  const began = performance.now();
  const streamed = client.call(troupe.url, { streamed: true, bytes: GIGABYTE });
  let most = 0;
  let ended = false;
  const watched = (async () => {
    while (!ended) {
      most = Math.max(most, await troupe.memoryBytes());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  await streamed;
  ended = true;
  await watched;
  const seconds = (performance.now() - began) / 1_000;
  const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(0);
  return {
    value: most - before,
    detail: `${megabytes(GIGABYTE / seconds)} MB/s, ${megabytes(before)} MB before it`,
  };
}

const peers = "nemo-relay: none published";

/** Latency, throughput and memory. */
export const gatewayLines: readonly Line[] = [
  {
    name: "gateway-whole",
    work: "Gateway for agents: added to a whole answer, p50",
    unit: "ms",
    target: 0.5,
    better: "less",
    peers,
    measure: (rounds) => added(rounds, {}, "last"),
  },
  {
    name: "gateway-first",
    work: "Gateway for agents: added to a stream's first byte, p50",
    unit: "ms",
    target: 0.5,
    better: "less",
    peers,
    measure: (rounds) => added(rounds, { streamed: true }, "first"),
  },
  {
    name: "gateway-rate",
    work: `Gateway for agents: model calls, ${CALLERS} callers, trace and metrics on, against a bare proxy`,
    unit: "ratio",
    target: 0.5,
    better: "greater",
    peers,
    measure: throughput,
  },
  {
    name: "gateway-memory",
    work: "Gateway for agents: memory that a stream of 1 GB takes",
    unit: "bytes",
    target: 64_000_000,
    better: "less",
    peers,
    measure: () => longStream(),
  },
];
