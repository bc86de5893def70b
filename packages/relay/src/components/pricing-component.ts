/** The component "pricing": what a call cost, in the end event of each model that has a price. */

import type { AnnotatedLlmResponse, AnnotatedUsage } from "../codecs/annotated.ts";
import { detectResponseCodec } from "../codecs/codecs.ts";
import { isList, isObject, type JsonObject, number, text } from "../codecs/json.ts";
import type { EventFields, Json, RelayEvent } from "../events/event.ts";
import { PriceList } from "../pricing/price-list.ts";
import type { ModelPricing, PricingCatalog } from "../pricing/pricing-document.ts";
import type { Component, ComponentPorts } from "./component.ts";
import { type FieldRules, type Findings, rules } from "./findings.ts";

/** Before all sanitizers of a program's own. */
const FIRST = -1_000_000;

const ratesRules: FieldRules = {
  input_per_million: rules.from(0),
  output_per_million: rules.from(0),
  cache_read_per_million: rules.from(0),
  cache_write_per_million: rules.from(0),
};
const entryRules: FieldRules = {
  provider: rules.text,
  model_id: rules.text,
  aliases: rules.texts,
  currency: rules.text,
  unit: rules.oneOf("per_token", "per_request", "per_second", "gpu_hour"),
  rates: ratesRules,
  rate_schedule: {
    type: rules.oneOf("prompt_token_threshold"),
    applies_to: rules.oneOf("full_request"),
    tiers: rules.objects,
  },
  prompt_cache: { read_accounting: rules.oneOf("included_in_prompt_tokens", "separate") },
  pricing_as_of: rules.text,
  pricing_source: rules.text,
};
const needed = ["provider", "model_id", "prompt_cache", "pricing_as_of", "pricing_source"];
const providers: Readonly<Record<string, string>> = {
  openai_chat: "openai",
  openai_responses: "openai",
  anthropic_messages: "anthropic",
  gemini_generate_content: "google",
};

/** Prices on events. */
export const pricingComponent: Component = {
  validate: (config, findings, ports) => {
    findings.check(config, { sources: rules.objects, policy: rules.object });
    catalogsOf(config, ports, findings);
  },
  register: (config, context) => {
    const list = new PriceList(catalogsOf(config, context.ports));
    context.registerScopeSanitizeEndGuardrail("cost", ({ event, fields }) => priced(list, event, fields), {
      priority: FIRST,
    });
  },
};

/** The catalogs of all sources. What is wrong with them goes to `findings`. */
function catalogsOf(
  config: JsonObject,
  ports: ComponentPorts,
  findings?: Findings,
): readonly PricingCatalog[] {
  const sources = isList(config.sources) ? config.sources.filter(isObject) : [];
  return sources.flatMap((source, n) => {
    const at = `sources[${n}]`;
    const catalog = catalogOf(source, at, ports, findings);
    if (!isObject(catalog)) return [];
    if (findings !== undefined) checkCatalog(catalog, `${at}.`, findings);
    // Checked when the document was, field by field.
    return [{ version: 1, entries: entriesOf(catalog).map((entry) => entry as JsonObject & ModelPricing) }];
  });
}

function catalogOf(
  source: JsonObject,
  at: string,
  ports: ComponentPorts,
  findings?: Findings,
): Json | undefined {
  const { type, catalog, path } = source;
  if (type === "inline") {
    if (!isObject(catalog)) findings?.unsupported(`${at}.catalog`, "an object");
    return catalog;
  }
  if (type !== "file" || typeof path !== "string") {
    findings?.unsupported(at, 'of type "inline" with a catalog, or "file" with a path');
    return undefined;
  }
  try {
    const parsed: Json = JSON.parse(ports.readText(path));
    return parsed;
  } catch {
    findings?.unsupported(`${at}.path`, `a file of JSON; ${path} isn't`);
    return undefined;
  }
}

function checkCatalog(catalog: JsonObject, at: string, findings: Findings): void {
  findings.check(catalog, { version: rules.oneOf(1), entries: rules.objects }, at);
  for (const [n, entry] of entriesOf(catalog).entries()) {
    const place = `${at}entries[${n}].`;
    findings.check(entry, entryRules, place);
    for (const field of needed)
      if (!Object.hasOwn(entry, field)) findings.unsupported(`${place}${field}`, "there");
    for (const rates of ratesOf(entry))
      if (!Object.hasOwn(rates, "input_per_million") || !Object.hasOwn(rates, "output_per_million"))
        findings.unsupported(`${place}rates`, "of input and output at least");
  }
}

function ratesOf(entry: JsonObject): readonly JsonObject[] {
  const schedule = entry.rate_schedule;
  const tiers = isObject(schedule) && isList(schedule.tiers) ? schedule.tiers.filter(isObject) : [];
  return [entry.rates, ...tiers.map((tier) => tier.rates)].filter(isObject);
}

function entriesOf(catalog: JsonObject): readonly JsonObject[] {
  return isList(catalog.entries) ? catalog.entries.filter(isObject) : [];
}

/** The fields of an end event with the cost in its usage. */
function priced(list: PriceList, event: RelayEvent, fields: EventFields): EventFields {
  if (event.kind !== "scope" || event.category !== "llm") return fields;
  const profile = fields.category_profile ?? {};
  const response = annotated(profile.annotated_response, fields.data);
  const usage = response?.usage;
  if (response === undefined || usage === undefined) return fields;
  const cost = list.estimate({
    models: [response.model, text(profile.model_name)],
    provider: providers[response.api_specific?.api ?? ""],
    usage: billed(response, usage),
  });
  if (cost === undefined) return fields;
  const told = { ...response, usage: { ...usage, cost } };
  return { ...fields, category_profile: { ...profile, annotated_response: told } };
}

/** Gemini counts what a model thinks apart from what it says, and bills both as output. */
function billed({ api_specific: specific }: AnnotatedLlmResponse, usage: AnnotatedUsage): AnnotatedUsage {
  const thoughts = specific?.api === "gemini_generate_content" ? number(specific.thoughts_tokens) : undefined;
  if (thoughts === undefined) return usage;
  return { ...usage, completion_tokens: (usage.completion_tokens ?? 0) + thoughts };
}

/** Without a codec: what the response looks like. */
function annotated(found: Json | undefined, data: Json): AnnotatedLlmResponse | undefined {
  // A codec of the program's own may have made it: what isn't there has no price.
  if (isObject(found)) return found as AnnotatedLlmResponse;
  return detectResponseCodec(data)?.decodeResponse(data);
}
