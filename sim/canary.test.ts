/** The proofs that the simulator sees what goes wrong, and that a seed is a world. */
import { expect, test } from "vitest";
import { campaign } from "./campaign.ts";
import { type Canary, type CanaryName, canaries } from "./canary.ts";
import { simulate } from "./simulate.ts";
import { yieldToOthers } from "./yield-to-others.ts";

/** Every canary is seen within so many seeds; most are in the first, the others have a seed near one that shows them. */
const CANARY_SEEDS = 600;
const LIMIT_MS = 1_200_000;

yieldToOthers();

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
  const { what, caughtBy, near = 1 }: Canary = canaries[name];
  test(`the simulator sees it when ${what}`, { timeout: LIMIT_MS }, async () => {
    const seen: string[] = [];
    await campaign({
      from: near,
      seeds: CANARY_SEEDS,
      canary: name,
      onFailure: ({ violation }) => void seen.push(violation?.checker ?? ""),
      until: ({ checker }) => caughtBy.includes(checker),
    });
    expect(caughtBy).toContain(seen.at(-1));
  });
}
