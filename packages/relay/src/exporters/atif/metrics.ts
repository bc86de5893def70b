/** Tokens and costs of steps, and of all of them together. */
import type { AnnotatedUsage } from "../../codecs/annotated.ts";
import { present } from "../../codecs/json.ts";
import type { AtifFinalMetrics, AtifMetrics, AtifStep } from "./trajectory.ts";

/** What a step used; nothing when nobody counted. */
export function metricsOf(usage: AnnotatedUsage | undefined): { readonly metrics?: AtifMetrics } {
  if (usage === undefined) return {};
  const { cost, total_tokens, cache_write_tokens } = usage;
  const dollars = cost?.currency === "USD" ? cost.total : undefined;
  const told = {
    prompt_tokens: counted(usage.prompt_tokens),
    completion_tokens: counted(usage.completion_tokens),
    cached_tokens: counted(usage.cache_read_tokens),
    cost_usd: dollars !== undefined && dollars >= 0 ? dollars : undefined,
  };
  const extra = present({ total_tokens, cache_write_tokens });
  const known = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
  return { metrics: { ...known, ...(Object.keys(extra).length === 0 ? {} : { extra }) } };
}

/** What a provider says may be anything: what isn't a count would have the whole trajectory refused. */
function counted(tokens: number | undefined): number | undefined {
  return Number.isInteger(tokens) && Number(tokens) >= 0 ? tokens : undefined;
}

/** The sums. */
export function totalsOf(steps: readonly AtifStep[]): AtifFinalMetrics {
  const used = steps.flatMap(({ metrics }) => metrics ?? []);
  const sum = (of: (metrics: AtifMetrics) => number | undefined): number =>
    used.reduce((total, metrics) => total + (of(metrics) ?? 0), 0);
  const priced = used.length > 0 && used.every(({ cost_usd: cost }) => cost !== undefined);
  return {
    total_prompt_tokens: sum((metrics) => metrics.prompt_tokens),
    total_completion_tokens: sum((metrics) => metrics.completion_tokens),
    total_cached_tokens: sum((metrics) => metrics.cached_tokens),
    ...(priced ? { total_cost_usd: sum((metrics) => metrics.cost_usd) } : {}),
    total_steps: steps.length,
  };
}
