/** What one operation costs in CPU, of the whole process: machines that others share say little by the clock. */
import { median } from "./statistics.ts";

/** CPU of this process so far, microseconds. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds of CPU for each of `count` operations. */
export async function costOf(count: number, run: (count: number) => unknown): Promise<number> {
  const before = cpuUs();
  await run(count);
  return (cpuUs() - before) / count;
}

/** Several ways to do the same, measured in turns so that what the machine does besides hits all alike: their medians. */
export async function interleaved(
  rounds: number,
  count: number,
  ways: readonly ((count: number) => unknown)[],
): Promise<number[]> {
  const costs = ways.map((): number[] => []);
  for (const way of ways) await way(count / 5);
  for (let round = 0; round < rounds; round += 1)
    for (const [n, way] of ways.entries()) costs[n]?.push(await costOf(count, way));
  return costs.map(median);
}
