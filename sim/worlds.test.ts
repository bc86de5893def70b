/** The simulator in the test run: two thousand worlds. Longer campaigns: `npm run sim -- --seeds 100000`. */
import { expect, test } from "vitest";
import { campaign } from "./campaign.ts";
import { yieldToOthers } from "./yield-to-others.ts";

const SEEDS = 1_000;
const LIMIT_MS = 1_200_000;

yieldToOthers();

/** Each keeps every promise, and between a thousand they reach every situation. */
test.each([1, 1_001])(
  `the ${SEEDS} simulated worlds from seed %i on keep every promise, and reach every situation`,
  { timeout: LIMIT_MS },
  async (from) => {
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
  },
);
