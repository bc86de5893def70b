/** A thousand worlds of the test run. A file of their own for each thousand, so that they may run beside each other. */
import { expect, test } from "vitest";
import { campaign } from "./campaign.ts";

const SEEDS = 1_000;
const LIMIT_MS = 1_200_000;

/** Each keeps every promise, and between them they reach every situation. */
export function thousandWorlds(from: number): void {
  const name = `the ${SEEDS} simulated worlds from seed ${from} on keep every promise, and reach every situation`;
  test(name, { timeout: LIMIT_MS }, async () => {
    const failures: string[] = [];
    const result = await campaign({
      from,
      seeds: SEEDS,
      onFailure: ({ seed, violation }) => {
        failures.push(
          `${violation?.checker}: ${violation?.detail}; replay: npm run sim -- --seed ${seed} --verbose`,
        );
      },
    });
    expect(failures).toEqual([]);
    expect(result.seeds).toBe(SEEDS);
    expect(result.missing).toEqual([]);
  });
}
