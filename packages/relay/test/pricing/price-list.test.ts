/** What calls cost: the figures that nemo-relay-node 0.9.2 gave for the same catalog and usage. */

import type { AnnotatedUsage } from "@troupe/relay";
import {
  catalogEntry,
  inlineCatalog,
  type ModelPricing,
  promptTokenThresholdRateSchedule,
  tokenRates,
  tokenRateTier,
} from "@troupe/relay/model-pricing";
import { expect, test } from "vitest";
import { PriceList } from "../../src/pricing/price-list.ts";

const read = { pricing_as_of: "2026-01-01", pricing_source: "x" };
const rates = tokenRates({ input_per_million: 10, output_per_million: 20, cache_read_per_million: 1 });

function entry(model_id: string, more: Partial<ModelPricing>): ModelPricing {
  return catalogEntry({ provider: "openai", model_id, ...read, ...more });
}

const list = new PriceList([
  inlineCatalog([
    entry("gpt", { rates, aliases: ["gpt-dated"] }),
    entry("uncached", { rates: tokenRates({ input_per_million: 10, output_per_million: 20 }) }),
    entry("separate", {
      provider: "anthropic",
      rates: { ...rates, cache_write_per_million: 12 },
      prompt_cache: { read_accounting: "separate" },
    }),
    entry("tiered", {
      rate_schedule: promptTokenThresholdRateSchedule([
        tokenRateTier(tokenRates({ input_per_million: 1 }), { max_prompt_tokens: 50 }),
        tokenRateTier(rates, { min_prompt_tokens: 51 }),
      ]),
    }),
    entry("by-the-hour", { unit: "gpu_hour", rates }),
  ]),
  inlineCatalog([entry("gpt", { rates: tokenRates() }), entry("separate", { rates: tokenRates() })]),
]);

const usage: AnnotatedUsage = { prompt_tokens: 100, completion_tokens: 10, cache_read_tokens: 40 };
const costOf = (model: string, used: AnnotatedUsage = usage) =>
  list.estimate({ models: [model], usage: used });

test("cached tokens cost less, and are part of the prompt or come on top, as the provider counts", () => {
  const about = {
    currency: "USD",
    pricing_provider: "openai",
    pricing_model: "gpt",
    pricing_as_of: "2026-01-01",
  };
  const parts = { input: 0.0006, output: 0.0002, cache_read: 0.00004, total: 0.00084 };
  expect(costOf("gpt")).toEqual({ ...parts, ...about, pricing_source: "x", source: "model_pricing" });
  expect(costOf("gpt-dated")).toEqual(costOf("gpt"));
  expect(costOf("separate", { ...usage, cache_write_tokens: 20 })).toMatchObject({
    input: 0.001,
    output: 0.0002,
    cache_read: 0.00004,
    cache_write: 0.00024,
    total: 0.00148,
  });
});

test("a rate that nobody knows leaves the total out, and what is known is told", () => {
  const estimate = costOf("uncached");
  expect(estimate).toMatchObject({ input: 0.0006, output: 0.0002 });
  expect(estimate).not.toHaveProperty("total");
  expect(costOf("uncached", { prompt_tokens: 1_000_000, completion_tokens: 0 })?.total).toBe(10);
});

test("the length of the prompt decides the tier of the whole request", () => {
  expect(costOf("tiered", { prompt_tokens: 50 })?.total).toBe(0.00005);
  expect(costOf("tiered", { prompt_tokens: 51 })?.total).toBe(0.00051);
});

test("an unknown model, and one with another unit, have no estimate", () => {
  expect(costOf("unheard-of")).toBeUndefined();
  expect(costOf("by-the-hour")).toBeUndefined();
  expect(list.estimate({ models: [undefined, "gpt"], usage })?.total).toBe(0.00084);
});

test("the provider decides between entries of one model; without it the first source counts", () => {
  expect(list.estimate({ models: ["separate"], provider: "openai", usage })?.pricing_provider).toBe("openai");
  expect(list.estimate({ models: ["separate"], provider: "other", usage })?.pricing_provider).toBe(
    "anthropic",
  );
});

test("what the provider counted as uncached is billed, also where an entry has the default accounting", () => {
  const anthropic = {
    prompt_tokens: 12,
    completion_tokens: 0,
    cache_read_tokens: 40,
    uncached_input_tokens: 12,
  };
  expect(costOf("gpt", anthropic)).toMatchObject({ input: 0.00012, cache_read: 0.00004, total: 0.00016 });
  expect(costOf("tiered", anthropic)?.input).toBe(0.00012);
});

test("a cost that no number can say is left out, and so is the total", () => {
  const estimate = costOf("gpt", { prompt_tokens: 100, completion_tokens: 1e308 });
  expect(estimate).toMatchObject({ input: 0.001 });
  expect(estimate).not.toHaveProperty("output");
  expect(estimate).not.toHaveProperty("total");
});
