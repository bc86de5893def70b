/**
 * `npm run leaks -- [--cycles 10000] [carrier …]`: plugins are opened and closed on each carrier, and fail to open, so many times. It
 * fails when the process holds more at the end than it did after half of them: a descriptor, a thread, a process, or memory. What
 * the first half brings is what allocators and engines keep for good, which levels off; a leak goes on.
 *
 * A carrier whose plugin is a process or an isolate has a part of the cycles, which the line says: a start takes longer there.
 */
import { type Held, held, openCycles } from "../packages/plugins/test/support/open-cycles.ts";
import { commandLine, numberOf } from "../tools/command-line.ts";

/** What is held for good may grow by so many bytes a cycle: less than the smallest object that could be left. */
const HEAP_BYTES_A_CYCLE = 16;
/** What the engine's code space and lazily compiled functions come to, whatever the number of cycles. */
const HEAP_NOISE = 4_000_000;
/** Native memory in use grows by what is under way at the moment. */
const ALLOCATED_NOISE = 8_000_000;
/**
 * Pages that are in use in part, stacks and code that was touched: with several plugins open at once it grows for the first
 * thousands of cycles, and then no more. What grows by each cycle is seen in native memory in use.
 */
const RESIDENT_NOISE = 64_000_000;
/**
 * A child of an isolate's kind has an engine of its own, which collects when it likes and not when this process asks: between two of
 * its collections it grows by as much as 50 MB, and gives that back.
 */
const CHILD_NOISE = 64_000_000;
const AT_ONCE = 4;

const USAGE = "npm run leaks -- [--cycles 10000] [carrier …]";
const { values, positionals } = commandLine(USAGE, {
  allowPositionals: true,
  options: { cycles: { type: "string", default: "10000" } },
});
const cycles = numberOf("--cycles", values.cycles, USAGE, 100);

for (const cycle of await openCycles()) {
  if (positionals.length > 0 && !positionals.includes(cycle.carrier)) continue;
  await using running = cycle;
  const half = Math.ceil((cycles * running.share) / 2);
  await run(running.run, half);
  const before = held();
  await run(running.run, half);
  report(running.carrier, half, before, held());
}

async function run(one: () => Promise<void>, count: number): Promise<void> {
  let left = count;
  const caller = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
}

function report(carrier: string, count: number, before: Held, after: Held): void {
  const grown = (key: keyof Held): number => after[key] - before[key];
  const bounds: readonly (readonly [keyof Held, number])[] = [
    ["descriptors", 0],
    ["threads", 0],
    ["processes", 0],
    ["heapBytes", HEAP_NOISE + HEAP_BYTES_A_CYCLE * count],
    ["allocatedBytes", ALLOCATED_NOISE + HEAP_BYTES_A_CYCLE * count],
    ["residentBytes", RESIDENT_NOISE],
    ["childBytes", CHILD_NOISE],
  ];
  const said = bounds.map(([key]) => `${key} ${grown(key) >= 0 ? "+" : ""}${grown(key)}`).join(", ");
  const leaks = bounds.filter(([key, bound]) => grown(key) > bound).map(([key]) => key);
  console.log(
    `${carrier.padEnd(8)} ${count} cycles behind as many: ${said}${leaks.length > 0 ? `  LEAKS ${leaks.join(", ")}` : ""}`,
  );
  if (leaks.length > 0) process.exitCode = 1;
}
