/** Builders of pricing documents, for the component "pricing". */
import { type ComponentSpec as Spec, ComponentSpec as specOf } from "./components/config.ts";
import { PRICING_PLUGIN_KIND, type PricingConfig } from "./pricing/pricing-document.ts";

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
  PRICING_PLUGIN_KIND,
  pricingConfig,
  promptCache,
  promptTokenThresholdRateSchedule,
  tokenRates,
  tokenRateTier,
} from "./pricing/pricing-document.ts";

/** An entry of a document. */
export function ComponentSpec(config: PricingConfig, options: { readonly enabled?: boolean } = {}): Spec {
  return specOf(PRICING_PLUGIN_KIND, config, options);
}
