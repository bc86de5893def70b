/**
 * Pricing documents: what models cost, as a program or a file says it.
 *
 * Names and shapes are those of the format, hence spelt as it spells them. Every function here makes a piece of such a
 * document with its defaults filled in.
 */
import { checkReadable } from "../given.ts";

/** Prices of a million tokens each, in the entry's currency. */
export interface TokenPricingRates {
  input_per_million: number;
  output_per_million: number;
  /** Without it, tokens read from a cache have no price, and a call that read some has no total. */
  cache_read_per_million?: number;
  /** As `cache_read_per_million`, for tokens written to a cache. */
  cache_write_per_million?: number;
}

/** How a provider counts cached tokens. */
export interface PromptCachePricing {
  /** Whether `prompt_tokens` has the cached ones in it. Default: "included_in_prompt_tokens". */
  read_accounting?: "included_in_prompt_tokens" | "separate";
}

/** Rates for requests of a size. */
export interface TokenRateTier {
  /** From this many tokens of the prompt on. Default: 0. */
  min_prompt_tokens?: number;
  /** Up to this many, this one included. Default: any. */
  max_prompt_tokens?: number;
  rates: TokenPricingRates;
}

/** Rates that depend on how long the prompt is; the tier that it falls into holds for the whole request. */
export interface PromptTokenThresholdRateSchedule {
  type: "prompt_token_threshold";
  applies_to?: "full_request";
  tiers: TokenRateTier[];
}

/** What one model costs. */
export interface ModelPricing {
  provider: string;
  model_id: string;
  /** Other names of the same model, such as dated ones. */
  aliases?: string[];
  /** Default: "USD". */
  currency?: string;
  /** Default: "per_token". Models with another unit get no estimate. */
  unit?: "per_token" | "per_request" | "per_second" | "gpu_hour";
  rates?: TokenPricingRates;
  rate_schedule?: PromptTokenThresholdRateSchedule;
  prompt_cache: PromptCachePricing;
  /** When the prices were read, such as "2026-01-31". */
  pricing_as_of: string;
  /** Where they were read. */
  pricing_source: string;
}

/** Prices of many models. */
export interface PricingCatalog {
  version?: number;
  entries: ModelPricing[];
}

/** A catalog in the document itself. */
export interface InlineSource {
  type: "inline";
  catalog: PricingCatalog;
}

/** A catalog in a file of JSON. */
export interface FileSource {
  type: "file";
  path: string;
}

/** Where a catalog comes from. */
export type PricingSource = InlineSource | FileSource;

/** The configuration of the component "pricing". */
export interface PricingConfig {
  /** The first source that knows a model says its price. */
  sources?: PricingSource[];
}

/** No sources. */
export function defaultConfig(): PricingConfig {
  return { sources: [] };
}

/** Rates; what isn't given costs nothing. */
export function tokenRates(config: Partial<TokenPricingRates> = {}): TokenPricingRates {
  return { input_per_million: 0, output_per_million: 0, ...config };
}

/** How cached tokens are counted. */
export function promptCache(config: Partial<PromptCachePricing> = {}): PromptCachePricing {
  return { read_accounting: "included_in_prompt_tokens", ...config };
}

/** Rates for requests of a size. */
export function tokenRateTier(
  rates: TokenPricingRates,
  config: Omit<Partial<TokenRateTier>, "rates"> = {},
): TokenRateTier {
  return { ...config, rates };
}

/** Rates by the length of the prompt. */
export function promptTokenThresholdRateSchedule(
  tiers: TokenRateTier[] = [],
  config: Omit<Partial<PromptTokenThresholdRateSchedule>, "type" | "tiers"> = {},
): PromptTokenThresholdRateSchedule {
  return { type: "prompt_token_threshold", applies_to: "full_request", tiers, ...config };
}

/** The price of one model. */
export function catalogEntry(
  config: Omit<ModelPricing, "prompt_cache"> & Partial<ModelPricing>,
): ModelPricing {
  checkReadable(config, "config");
  const { prompt_cache, ...entry } = config;
  return {
    aliases: [],
    currency: "USD",
    unit: "per_token",
    ...entry,
    prompt_cache: promptCache(prompt_cache),
  };
}

/** A catalog of version 1. */
export function inlineCatalog(
  entries: ModelPricing[] = [],
  config: Omit<Partial<PricingCatalog>, "entries"> = {},
): PricingCatalog {
  return { version: 1, entries, ...config };
}

/** A catalog as a source. */
export function inlineSource(catalog: PricingCatalog): InlineSource {
  return { type: "inline", catalog };
}

/** A file of JSON as a source. */
export function fileSource(path: string): FileSource {
  return { type: "file", path };
}

/** The configuration of the component "pricing". */
export function pricingConfig(sources: PricingSource[] = []): PricingConfig {
  return { sources };
}

/** The component's kind. */
export const PRICING_PLUGIN_KIND = "pricing";
