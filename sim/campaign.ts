/**
 * Campaign: many seeds, one after the other.
 */
import type { CanaryName } from "./canary.ts";
import { type RunResult, simulate } from "./simulate.ts";
import { type CounterName, Counters } from "./world/counters.ts";
import type { Violation } from "./world/world.ts";

/** Which seeds, and what to tell meanwhile. */
export interface CampaignOptions {
  readonly from: number;
  readonly seeds: number;
  /** Ends after this time, however many seeds are left. Default: never. */
  readonly minutes?: number | undefined;
  readonly canary?: CanaryName | undefined;
  /** Ends with the first failure for which this is true. */
  readonly until?: (violation: Violation) => boolean;
  readonly onFailure?: (result: RunResult) => void;
  /** About once a second. */
  readonly onProgress?: (done: number) => void;
}

/** What came of it. */
export interface CampaignResult {
  readonly seeds: number;
  readonly failures: number;
  readonly steps: number;
  readonly counters: Counters;
  /** Situations that never came up. */
  readonly missing: readonly CounterName[];
}

/** Runs seed after seed. */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const counters = new Counters();
  const deadline = performance.now() + (options.minutes ?? Infinity) * 60_000;
  let saidAt = performance.now();
  let seeds = 0;
  let failures = 0;
  let steps = 0;
  while (seeds < options.seeds && performance.now() < deadline) {
    const result = await simulate({ seed: options.from + seeds, canary: options.canary });
    seeds += 1;
    steps += result.steps;
    counters.merge(result.counters);
    if (result.violation !== undefined) {
      failures += 1;
      options.onFailure?.(result);
      if (options.until?.(result.violation) === true) break;
    }
    if (performance.now() - saidAt > 1_000) {
      saidAt = performance.now();
      options.onProgress?.(seeds);
    }
  }
  return { seeds, failures, steps, counters, missing: counters.missing() };
}
