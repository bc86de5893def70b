/**
 * PriceList: what a call cost, from what its provider counted.
 *
 * Nothing is guessed: a model that no catalog knows has no estimate, and where tokens of a kind were used that has no rate,
 * the parts that are known are told and the total isn't.
 */
import type { AnnotatedUsage, CostEstimate } from "../codecs/annotated.ts";
import type { ModelPricing, PricingCatalog, TokenPricingRates } from "./pricing-document.ts";

/** Which price is asked for. */
export interface PriceQuestion {
  /** Names of the model, the likeliest first: that of the response, that of the request. */
  readonly models: readonly (string | undefined)[];
  /** Decides between catalogs' entries of the same model. */
  readonly provider?: string | undefined;
  readonly usage: AnnotatedUsage;
}

/** Prices from some catalogs. */
export class PriceList {
  /** By model id and alias; the earlier catalog's first. */
  readonly #entries = new Map<string, ModelPricing[]>();

  constructor(catalogs: readonly PricingCatalog[]) {
    for (const entry of catalogs.flatMap(({ entries }) => entries))
      for (const name of new Set([entry.model_id, ...(entry.aliases ?? [])]))
        this.#entries.set(name, [...(this.#entries.get(name) ?? []), entry]);
  }

  /** Undefined when the model has no price by the token. */
  estimate({ models, provider, usage }: PriceQuestion): CostEstimate | undefined {
    for (const model of models) {
      const entries = (model === undefined ? undefined : this.#entries.get(model)) ?? [];
      const entry = entries.find((one) => one.provider === provider) ?? entries[0];
      if (entry !== undefined) return estimateOf(entry, usage);
    }
    return undefined;
  }
}

function estimateOf(entry: ModelPricing, usage: AnnotatedUsage): CostEstimate | undefined {
  const { prompt_tokens: prompt = 0, completion_tokens: completion = 0 } = usage;
  const { cache_read_tokens: read = 0, cache_write_tokens: written = 0 } = usage;
  const separate = entry.prompt_cache.read_accounting === "separate";
  // The codec knows how its provider counts: Anthropic's prompt has no cached tokens in it, whatever the entry says.
  const { uncached_input_tokens: fresh = Math.max(0, prompt - read - written) } = usage;
  const uncached = separate ? prompt : fresh;
  const rates = ratesFor(entry, Math.max(prompt, uncached + read + written));
  if (rates === undefined) return undefined;
  const parts = {
    input: cost(uncached, rates.input_per_million),
    output: cost(completion, rates.output_per_million),
    cache_read: cost(read, rates.cache_read_per_million),
    cache_write: cost(written, rates.cache_write_per_million),
  };
  const total = totalOf(Object.values(parts));
  return {
    ...(total === undefined ? {} : { total }),
    ...Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined && part > 0)),
    currency: entry.currency ?? "USD",
    source: "model_pricing",
    pricing_provider: entry.provider,
    pricing_model: entry.model_id,
    pricing_as_of: entry.pricing_as_of,
    pricing_source: entry.pricing_source,
  };
}

function ratesFor(entry: ModelPricing, prompt: number): TokenPricingRates | undefined {
  if ((entry.unit ?? "per_token") !== "per_token") return undefined;
  const tier = entry.rate_schedule?.tiers.find(
    ({ min_prompt_tokens: from = 0, max_prompt_tokens: to = Number.POSITIVE_INFINITY }) =>
      prompt >= from && prompt <= to,
  );
  return tier?.rates ?? entry.rates;
}

/** Nothing costs nothing, at any rate. */
function cost(tokens: number, perMillion: number | undefined): number | undefined {
  if (tokens === 0) return 0;
  return perMillion === undefined ? undefined : rounded((tokens * perMillion) / 1_000_000);
}

function totalOf(parts: readonly (number | undefined)[]): number | undefined {
  let total = 0;
  for (const part of parts) {
    if (part === undefined) return undefined;
    total += part;
  }
  return rounded(total);
}

/** To what floats can say of sums of money: a picodollar. Undefined for what they can't say. */
function rounded(amount: number): number | undefined {
  const picodollars = Math.round(amount * 1e12) / 1e12;
  return Number.isFinite(picodollars) ? picodollars : undefined;
}
