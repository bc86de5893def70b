/**
 * The simulator in the test run: a thousand worlds, and the proofs that it sees what goes wrong. Longer campaigns:
 * `npm run sim -- --seeds 100000`.
 */
import { expect, test } from "vitest";
import { campaign } from "./campaign.ts";
import { type Canary, type CanaryName, canaries } from "./canary.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 1_000;
/** Every canary is seen within so many seeds; most are in the first. */
const CANARY_SEEDS = 600;
const LIMIT_MS = 600_000;

test(`${SEEDS} simulated worlds keep every promise, and reach every situation`, {
  timeout: LIMIT_MS,
}, async () => {
  const failures: string[] = [];
  const result = await campaign({
    from: 1,
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

test("the same seed gives the same trace, in every encoding and with every fault", {
  timeout: LIMIT_MS,
}, async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const first = await simulate({ seed });
    const second = await simulate({ seed });
    expect([second.hash, second.steps], `seed ${seed}`).toEqual([first.hash, first.steps]);
  }
});

for (const name of Object.keys(canaries) as CanaryName[]) {
  const { what, caughtBy }: Canary = canaries[name];
  test(`the simulator sees it when ${what}`, { timeout: LIMIT_MS }, async () => {
    const seen: string[] = [];
    await campaign({
      from: 1,
      seeds: CANARY_SEEDS,
      canary: name,
      onFailure: ({ violation }) => void seen.push(violation?.checker ?? ""),
      until: ({ checker }) => caughtBy.includes(checker),
    });
    expect(caughtBy).toContain(seen.at(-1));
  });
}
