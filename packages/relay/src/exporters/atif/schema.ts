/** ATIF 1.7 as a JSON schema (draft 2020-12). Fields that aren't named belong in `extra`. */

const extra = { type: "object" } as const;
const count = { type: "integer", minimum: 0 } as const;
const text = { type: "string" } as const;
const named = { type: "string", minLength: 1 } as const;

const object = (properties: object, required: readonly string[]) =>
  ({ type: "object", additionalProperties: false, properties, required }) as const;

const trajectoryRef = object({ session_id: text, trajectory_id: text, path: text, extra }, []);

const toolCall = object({ tool_call_id: named, function_name: named, arguments: { type: "object" }, extra }, [
  "tool_call_id",
  "function_name",
  "arguments",
]);

const result = object(
  {
    source_call_id: named,
    content: { anyOf: [text, { type: "array" }, { type: "null" }] },
    subagent_trajectory_ref: { type: "array", items: trajectoryRef },
    extra,
  },
  [],
);

const metrics = object(
  {
    prompt_tokens: count,
    completion_tokens: count,
    cached_tokens: count,
    cost_usd: { type: "number", minimum: 0 },
    prompt_token_ids: { type: "array", items: { type: "integer" } },
    completion_token_ids: { type: "array", items: { type: "integer" } },
    logprobs: { type: "array", items: { type: "number" } },
    extra,
  },
  [],
);

const agentsOwn = [
  "model_name",
  "reasoning_effort",
  "reasoning_content",
  "tool_calls",
  "metrics",
  "llm_call_count",
];

const step = {
  ...object(
    {
      step_id: { type: "integer", minimum: 1 },
      source: { enum: ["user", "agent", "system"] },
      message: { anyOf: [text, { type: "array" }] },
      timestamp: {
        type: "string",
        pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$",
      },
      model_name: text,
      reasoning_effort: { type: ["string", "number"] },
      reasoning_content: text,
      tool_calls: { type: "array", items: toolCall },
      observation: object({ results: { type: "array", items: result } }, ["results"]),
      metrics,
      llm_call_count: count,
      is_copied_context: { type: "boolean" },
      extra,
    },
    ["step_id", "source", "message"],
  ),
  // Users and systems have no model, tools or tokens.
  if: { properties: { source: { enum: ["user", "system"] } } },
  // biome-ignore lint/suspicious/noThenProperty: the word is JSON schema's.
  then: { not: { anyOf: agentsOwn.map((field) => ({ required: [field] })) } },
};

/** The schema of a trajectory. */
export const atifSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "ATIF-v1.7",
  $ref: "#/$defs/trajectory",
  $defs: {
    trajectory: object(
      {
        schema_version: { const: "ATIF-v1.7" },
        session_id: named,
        trajectory_id: text,
        agent: object(
          {
            name: named,
            version: named,
            model_name: text,
            tool_definitions: { type: "array", items: { type: "object" } },
            extra,
          },
          ["name", "version"],
        ),
        steps: { type: "array", items: step },
        notes: text,
        final_metrics: object(
          {
            total_prompt_tokens: count,
            total_completion_tokens: count,
            total_cached_tokens: count,
            total_cost_usd: { type: "number", minimum: 0 },
            total_steps: count,
            extra,
          },
          [],
        ),
        continued_trajectory_ref: text,
        subagent_trajectories: { type: "array", items: { $ref: "#/$defs/trajectory" } },
        extra,
      },
      ["schema_version", "session_id", "agent", "steps"],
    ),
  },
} as const;
