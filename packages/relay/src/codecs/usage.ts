/** Tokens as annotations count them. */
import type { AnnotatedUsage } from "./annotated.ts";
import { type JsonObject, present } from "./json.ts";

/** What a provider said of them. */
export interface CountedTokens {
  readonly prompt: number | undefined;
  readonly completion: number | undefined;
  /** Default: the sum of both. */
  readonly total?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  /** Whether the prompt's count has those that came from a cache in it. */
  readonly cached: "within" | "apart";
}

/** The usage; undefined when nothing was counted. */
export function usageOf(tokens: CountedTokens): (AnnotatedUsage & JsonObject) | undefined {
  const { prompt, completion, cacheRead, cacheWrite, cached } = tokens;
  if (prompt === undefined && completion === undefined) return undefined;
  const within = cached === "within" ? (cacheRead ?? 0) + (cacheWrite ?? 0) : 0;
  return present({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: tokens.total ?? (prompt ?? 0) + (completion ?? 0),
    cache_read_tokens: cacheRead,
    cache_write_tokens: cacheWrite,
    uncached_input_tokens: prompt === undefined ? undefined : Math.max(0, prompt - within),
  });
}
