/** What a scope is about: `ScopeType.Agent` and so on, the names that ATOF has for it. */
export const ScopeType = {
  Agent: "agent",
  Function: "function",
  Tool: "tool",
  Llm: "llm",
  Retriever: "retriever",
  Embedder: "embedder",
  Reranker: "reranker",
  Guardrail: "guardrail",
  Evaluator: "evaluator",
  Custom: "custom",
  Unknown: "unknown",
} as const;

/** One of the values of `ScopeType`. */
export type ScopeType = (typeof ScopeType)[keyof typeof ScopeType];

/** What is special about a scope, as ATOF says it. */
export type ScopeAttribute = "parallel" | "relocatable" | "stateful" | "streaming" | "remote";
