/**
 * ATIF 1.7: a trajectory, what an agent was told, did and saw, step by step. Names are the format's.
 *
 * `schema.ts` is the same as JSON schema.
 */
import type { JsonObject } from "../../codecs/json.ts";
import type { Json } from "../../events/event.ts";

/** Who acts. */
export interface AtifAgent {
  name: string;
  version: string;
  model_name?: string;
  tool_definitions?: readonly Json[];
  extra?: JsonObject;
}

/** A call of a tool that a step asks for. */
export interface AtifToolCall {
  tool_call_id: string;
  function_name: string;
  arguments: JsonObject;
}

/** What came back. */
export interface AtifResult {
  source_call_id?: string;
  content?: string;
  extra?: JsonObject;
}

/** What a step used. */
export interface AtifMetrics {
  prompt_tokens?: number;
  completion_tokens?: number;
  cached_tokens?: number;
  cost_usd?: number;
  extra?: JsonObject;
}

/** Something that was said or done. */
export interface AtifStep {
  /** From 1 on, without gaps. */
  step_id: number;
  source: "user" | "agent" | "system";
  message: string;
  timestamp?: string;
  model_name?: string;
  tool_calls?: AtifToolCall[];
  observation?: { results: AtifResult[] };
  metrics?: AtifMetrics;
  llm_call_count?: number;
  extra?: JsonObject;
}

/** Sums over all steps. */
export interface AtifFinalMetrics {
  total_prompt_tokens: number;
  total_completion_tokens: number;
  total_cached_tokens: number;
  /** Left out when a step's cost isn't known, or is in another currency. */
  total_cost_usd?: number;
  total_steps: number;
}

/** A whole session. */
export interface AtifTrajectory {
  schema_version: "ATIF-v1.7";
  session_id: string;
  trajectory_id: string;
  agent: AtifAgent;
  steps: AtifStep[];
  final_metrics: AtifFinalMetrics;
  extra?: JsonObject;
}
