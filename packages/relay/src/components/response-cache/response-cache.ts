/**
 * The response cache: an answer that was given before to exactly the same request is given again.
 *
 * It goes around the provider, nearest to it unless other priorities say so; guardrails and request intercepts have run
 * by then, and events are as ever. Requests whose answers may differ (a temperature that isn't 0) aren't kept unless the
 * configuration says so, streams never are, nor what JSON can't say whole: bytes, dates, big integers. A mark `response_cache` says for
 * each other call what it was: hit, miss, bypass.
 */
import { isList, isObject, type JsonObject, number } from "../../codecs/json.ts";
import type { LlmRequest } from "../../middleware/payloads.ts";
import type { ComponentContext } from "../component.ts";
import { type FieldRules, type Findings, rules } from "../findings.ts";
import { cacheKey } from "./cache-key.ts";
import { StoredResponses } from "./stored-responses.ts";
import { type ToolPolicy, toolPolicy, toolRules } from "./tool-policies.ts";

const TTL_SECONDS = 3_600;
const PRIORITY = 50;
const TOOL_PRIORITY = 100;

/** The fields of the section. */
export const responseCacheRules: FieldRules = {
  ttl_seconds: rules.from(1),
  namespace: rules.text,
  priority: rules.number,
  bypass_rate: rules.from(0, 1),
  cache_nondeterministic: rules.flag,
  key_strategy: rules.oneOf("exact_request"),
  header_allowlist: rules.texts,
  backend: { kind: rules.oneOf("in_memory"), config: rules.object },
  tools: {
    enabled: rules.flag,
    priority: rules.number,
    cache_errors: rules.oneOf(false),
    default: toolRules.class,
    classes: rules.object,
    overrides: rules.object,
  },
};

/** What the rules by field can't say. */
export function checkResponseCache(config: JsonObject, findings: Findings): void {
  if (typeof config.namespace !== "string" || config.namespace === "")
    findings.error(
      "missing_namespace",
      "a cache belongs to those who trust each other: say who, as its namespace",
      "response_cache.namespace",
    );
  const tools = isObject(config.tools) ? config.tools : {};
  for (const section of ["classes", "overrides"] as const)
    for (const [name, given] of Object.entries(isObject(tools[section]) ? tools[section] : {})) {
      const at = `response_cache.tools.${section}.${name}.`;
      if (isObject(given))
        findings.check(given, section === "classes" ? toolRules.class : toolRules.override, at);
    }
}

/** Registers the cache. */
export function registerResponseCache(config: JsonObject, context: ComponentContext): void {
  const cache = new ResponseCache(config, context);
  const { priority } = config;
  context.registerLlmExecutionIntercept(
    "llm",
    ({ name, request }, { next }) => cache.model(name, request, () => next(request)),
    { priority: number(priority) ?? PRIORITY },
  );
  const tools = isObject(config.tools) ? config.tools : {};
  if (tools.enabled !== true) return;
  context.registerToolExecutionIntercept(
    "tools",
    ({ toolName, args }, { next }) => cache.tool(tools, toolName, args, () => next(args)),
    { priority: number(tools.priority) ?? TOOL_PRIORITY },
  );
}

interface Question {
  readonly surface: "llm" | "tool";
  /** Everything that the answer depends on. */
  readonly parts: unknown;
  readonly policy: Pick<ToolPolicy, "ttlSeconds" | "bypassRate">;
}

class ResponseCache {
  readonly #context: ComponentContext;
  readonly #stored: StoredResponses;
  readonly #namespace: string;
  readonly #headers: readonly string[];
  readonly #nondeterministic: boolean;
  readonly #common: ToolPolicy;

  constructor(config: JsonObject, context: ComponentContext) {
    this.#context = context;
    this.#stored = new StoredResponses(context.ports.now);
    this.#namespace = String(config.namespace);
    const headers = config.header_allowlist;
    this.#headers = isList(headers) ? headers.map((header) => String(header).toLowerCase()) : [];
    this.#nondeterministic = config.cache_nondeterministic === true;
    this.#common = {
      cacheable: false,
      ttlSeconds: number(config.ttl_seconds) ?? TTL_SECONDS,
      bypassRate: number(config.bypass_rate) ?? 0,
      toolVersion: "",
      argSkip: [],
    };
  }

  async model(name: string, request: LlmRequest, ask: () => Promise<unknown>): Promise<unknown> {
    const { content } = request;
    if (!this.#nondeterministic && temperatureOf(content) !== 0) return await ask();
    const headers = Object.entries(request.headers)
      .map(([header, value]) => [header.toLowerCase(), value] as const)
      .filter(([header]) => this.#headers.includes(header));
    const parts = { name, content, headers: Object.fromEntries(headers) };
    return await this.#answer({ surface: "llm", parts, policy: this.#common }, ask);
  }

  async tool<T>(tools: JsonObject, name: string, args: unknown, ask: () => Promise<T>): Promise<T> {
    const policy = toolPolicy(tools, name, this.#common);
    if (!policy.cacheable) return await ask();
    const told = isObject(args)
      ? Object.entries(args).filter(([key]) => !policy.argSkip.includes(key))
      : undefined;
    const parts = {
      name,
      version: policy.toolVersion,
      ...(args === undefined ? {} : { args: told === undefined ? args : Object.fromEntries(told) }),
    };
    return await this.#answer({ surface: "tool", parts, policy }, ask);
  }

  async #answer<T>({ surface, parts, policy }: Question, ask: () => Promise<T>): Promise<T> {
    const { ports, relay } = this.#context;
    const key = cacheKey({ namespace: this.#namespace, surface, parts }, ports.sha256);
    if (key === undefined) return await ask();
    const ttlMs = policy.ttlSeconds * 1_000;
    const told = (status: "hit" | "miss" | "bypass"): void =>
      relay.event("response_cache", {
        data: { status },
        metadata: {
          "nemo_relay.response_cache.backend": "in_memory",
          "nemo_relay.response_cache.key_hash": `sha256:${key}`,
          "nemo_relay.response_cache.surface": surface,
          "nemo_relay.response_cache.ttl_ms": ttlMs,
        },
      });
    const bypassed = policy.bypassRate > 0 && ports.random() < policy.bypassRate;
    const found = bypassed ? undefined : this.#stored.get(key);
    told(bypassed ? "bypass" : found === undefined ? "miss" : "hit");
    // Kept under a key that names the surface: what was put there is what `ask` answers.
    if (found !== undefined) return found.value as T;
    const answer = await ask();
    this.#stored.set(key, answer, ttlMs);
    return answer;
  }
}

/** Where each provider's requests say it. */
function temperatureOf(content: unknown): unknown {
  if (!isObject(content)) return undefined;
  const { temperature, generationConfig } = content;
  return temperature ?? (isObject(generationConfig) ? generationConfig.temperature : undefined);
}
