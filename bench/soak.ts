/**
 * `npm run soak -- [--minutes 10] [--rate 200]`: a gateway for agents under mixed load, with its trace and metrics on. It fails when memory grows:
 * when the least that its heap, or all that is resident, came to in the last third of the time, after a collection, is above the least of
 * the third before. What is under way makes single samples differ by more than a leak of hours.
 *
 * V8 gives its young generation more room for minutes while load comes, up to some 115 MB, and keeps the pages when they are empty: as
 * much as a leak beside the heap would be. Here that room is small and full from the start, so that what is resident is to stay flat.
 * Without that it levels off too: from 370 MB by 0.9 MB a minute in the fifth to the eighth minute, where this stands at 250.
 *
 * The load is bounded, goes to this machine alone, and ends by itself: whole answers, streams, streams whose client goes away, what passes
 * through, refused paths, hooks, metrics that are read. `--rate` calls a second at most; without it as many as come.
 */
import { commandLine, numberOf } from "../tools/command-line.ts";
import { BenchProxy } from "./proxy/bench-proxy.ts";
import { ModelClient } from "./proxy/client.ts";
import { ModelProvider } from "./proxy/model-provider.ts";

const CALLERS = 8;
/** Made before the first sample, as fast as they come: until then V8 compiles what is hot, and buffers find their sizes. */
const WARM_UP = 15_000;
const SAMPLE_MS = 5_000;
/** What the noise of the heap may come to, bytes a minute. */
const HEAP_LIMIT = 500_000;
/** The same of what is resident, bytes from third to third: malloc's arenas settle in steps, however long the run. */
const RSS_LIMIT = 2_000_000;
const YOUNG_GENERATION = "--max-semi-space-size=8";

interface Sample {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

const USAGE = "npm run soak -- [--minutes 10] [--rate 200]";
const { values } = commandLine(USAGE, {
  options: { minutes: { type: "string", default: "10" }, rate: { type: "string", default: "Infinity" } },
});
const minutes = numberOf("--minutes", values.minutes, USAGE, 0.1);
const rate = numberOf("--rate", values.rate, USAGE);

await using provider = await ModelProvider.start();
await using proxy = await BenchProxy.start("troupe", provider.url, [YOUNG_GENERATION]);
using client = new ModelClient();
let calls = 0;
await Promise.all(Array.from({ length: CALLERS }, (_none, n) => caller(n, () => calls < WARM_UP)));
const warm = calls;
const began = performance.now();
const elapsed = (): number => (performance.now() - began) / 60_000;

const load = Promise.all(Array.from({ length: CALLERS }, (_none, n) => pacedCaller(n)));
const samples: Sample[] = [];
while (elapsed() < minutes) {
  await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  samples.push(await proxy.settledMemory());
}
await load;

const third = Math.ceil(samples.length / 3);
const heap = growth((sample) => sample.heapBytes);
const rss = growth((sample) => sample.rssBytes);
const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(2);
const last = samples.at(-1);
console.log(
  `${calls - warm} calls in ${minutes} min: heap ${megabytes(last?.heapBytes ?? 0)} MB, ${megabytes(heap)} MB a minute; ` +
    `RSS ${megabytes(last?.rssBytes ?? 0)} MB, ${megabytes(rss)} MB a minute`,
);
for (const [name, of] of [
  ["heap", (sample: Sample) => sample.heapBytes],
  ["RSS", (sample: Sample) => sample.rssBytes],
] as const)
  console.log(`the least of each third, ${name}: ${thirds(of).map(megabytes).join(", ")} MB`);
for (const [what, grows, limit] of [
  ["The heap", heap, HEAP_LIMIT],
  ["What is resident", rss, RSS_LIMIT / (minutes / 3)],
] as const)
  if (grows > limit) {
    console.error(`${what} grows by more than ${megabytes(limit)} MB a minute`);
    process.exitCode = 1;
  }

/** One after the other, in turns, while `goesOn`. */
async function caller(first: number, goesOn: () => boolean, pace = async () => {}): Promise<void> {
  const kinds = [whole, streamed, left, passed, refused, hook, metrics];
  for (let n = first; goesOn(); n += 1) {
    await pace();
    await kinds[n % kinds.length]?.();
    calls += 1;
  }
}

/** Until the time is up, and not faster than asked for. */
async function pacedCaller(first: number): Promise<void> {
  const pace = async (): Promise<void> => {
    const early = ((calls - warm) / rate) * 1_000 - elapsed() * 60_000;
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
  };
  await caller(first, () => elapsed() < minutes, pace);
}

async function whole(): Promise<void> {
  await client.call(proxy.url);
}

async function streamed(): Promise<void> {
  await client.call(proxy.url, { streamed: true });
}

/** A client that goes away after the first bytes. */
async function left(): Promise<void> {
  const answer = await client.open(proxy.url, { streamed: true, bytes: 4_000_000 });
  answer.once("error", () => {});
  await new Promise((resolve) => answer.once("data", resolve));
  answer.destroy();
}

async function passed(): Promise<void> {
  await (await fetch(`${proxy.url}/v1/models`)).text();
}

async function refused(): Promise<void> {
  await (await fetch(`${proxy.url}/%`)).text();
}

async function hook(): Promise<void> {
  const body = JSON.stringify({ hook_event_name: "PreToolUse", tool_name: "ls", tool_input: {} });
  await (await fetch(`${proxy.url}/hooks/claude`, { method: "POST", body })).text();
}

async function metrics(): Promise<void> {
  await (await fetch(`${proxy.url}/metrics`)).text();
}

/** Between the least of the second third and that of the last, a minute. */
function growth(of: (sample: Sample) => number): number {
  const [, second = 0, last = 0] = thirds(of);
  return (last - second) / (minutes / 3);
}

/** The least of each. */
function thirds(of: (sample: Sample) => number): number[] {
  return [0, third, 2 * third].map((from) => Math.min(...samples.slice(from, from + third).map(of)));
}
