/** Builders of pricing documents. */
export type {
  FileSource,
  InlineSource,
  ModelPricing,
  PricingCatalog,
  PricingConfig,
  PricingSource,
  PromptCachePricing,
  PromptTokenThresholdRateSchedule,
  TokenPricingRates,
  TokenRateTier,
} from "./pricing/pricing-document.ts";
export {
  catalogEntry,
  defaultConfig,
  fileSource,
  inlineCatalog,
  inlineSource,
  pricingConfig,
  promptCache,
  promptTokenThresholdRateSchedule,
  tokenRates,
  tokenRateTier,
} from "./pricing/pricing-document.ts";
