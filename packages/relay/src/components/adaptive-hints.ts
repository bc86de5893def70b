/**
 * Adaptive hints: what an inference server may want to know of a request, in a header and in its body.
 *
 * Of each agent the requests so far are counted, with the time between them and the tokens that they were answered with.
 * A first request has no hints, as nothing is known, unless a latency sensitivity was set by hand.
 */
import { isObject, type JsonObject, number } from "../codecs/json.ts";
import type { Json, RelayEvent } from "../events/event.ts";
import type { LlmRequestInterceptOutcome, MiddlewareShapes } from "../middleware/payloads.ts";
import type { Relay } from "../relay.ts";
import type { Scope } from "../scope/scope.ts";
import type { ComponentContext } from "./component.ts";
import { type FieldRules, rules } from "./findings.ts";
import type { LatencySensitivities } from "./latency-sensitivities.ts";

const PRIORITY = 100;
const HEADER = "x-nemo-relay-adaptive-agent-hints";
const BODY_PATH = "nvext.agent_hints";
const USUAL_SENSITIVITY = 3;
/** A request's priority is this less its sensitivity, and never below 0. */
const MOST_SENSITIVE = 5;
/** Agents that are told apart. */
const AGENTS = 1_000;

/** The fields of the section. */
export const hintRules: FieldRules = {
  priority: rules.number,
  break_chain: rules.flag,
  inject_header: rules.flag,
  inject_body_path: (value) => (typeof value === "string" ? undefined : "a path of names with dots"),
};

/** What is known of an agent. */
interface Known {
  requests: number;
  lastAt: number;
  gapsMs: number;
  responses: number;
  tokens: number;
}

/** Registers the hints. `agentId`: told instead of the names of agents' scopes. */
export function registerHints(
  config: JsonObject,
  context: ComponentContext,
  given: { readonly agentId: string | undefined; readonly sensitivities: LatencySensitivities },
): void {
  const { relay, ports } = context;
  const hints = new Hints(relay, ports.now, given.agentId, given.sensitivities);
  const path = typeof config.inject_body_path === "string" ? config.inject_body_path : BODY_PATH;
  const header = config.inject_header !== false;
  context.registerLlmRequestIntercept("hints", (payload) => injected(payload, hints.next(), path, header), {
    priority: number(config.priority) ?? PRIORITY,
    breakChain: config.break_chain === true,
  });
  context.registerSubscriber("answers", (event) => hints.answered(event));
}

class Hints {
  readonly #agents = new Map<string, Known>();
  readonly #relay: Relay;
  readonly #now: () => number;
  readonly #agentId: string | undefined;
  readonly #sensitivities: LatencySensitivities;
  /** Agents of models' scopes that are open. */
  readonly #asked = new Map<string, string>();

  constructor(
    relay: Relay,
    now: () => number,
    agentId: string | undefined,
    sensitivities: LatencySensitivities,
  ) {
    this.#relay = relay;
    this.#now = now;
    this.#agentId = agentId;
    this.#sensitivities = sensitivities;
  }

  /** What to say of the next request. Undefined: nothing is known. */
  next(): JsonObject | undefined {
    const agents = agentsAbove(this.#relay.getHandle());
    const name = this.#agentId ?? agents[0]?.name ?? "root";
    const known = this.#known(name);
    const now = this.#now();
    if (known.requests > 0) known.gapsMs += now - known.lastAt;
    known.requests += 1;
    known.lastAt = now;
    const set = this.#sensitivities.of(this.#relay.getHandle());
    if (known.requests === 1 && set === undefined) return undefined;
    const latency_sensitivity = set ?? USUAL_SENSITIVITY;
    return {
      latency_sensitivity,
      priority: Math.max(0, MOST_SENSITIVE - latency_sensitivity),
      prefix_id: `${name}-d${agents.length}`,
      total_requests: known.requests,
      iat: known.requests === 1 ? 0 : Math.round(known.gapsMs / (known.requests - 1)),
      osl: known.responses === 0 ? 0 : Math.round(known.tokens / known.responses),
    };
  }

  /** Counts what models answer. */
  answered(event: RelayEvent): void {
    if (event.kind !== "scope") return;
    if (event.category === "agent") this.#agent(event.uuid, event.name, event.scope_category);
    if (event.category !== "llm" || event.scope_category !== "end") return;
    const response = event.category_profile?.annotated_response;
    const usage = isObject(response) ? response.usage : undefined;
    const tokens = isObject(usage) ? number(usage.completion_tokens) : undefined;
    if (tokens === undefined) return;
    const known = this.#known(this.#agentId ?? this.#asked.get(event.parent_uuid ?? "") ?? "root");
    known.responses += 1;
    known.tokens += tokens;
  }

  #agent(uuid: string, name: string, category: "start" | "end"): void {
    if (category === "end") this.#asked.delete(uuid);
    else if (this.#asked.size < AGENTS) this.#asked.set(uuid, name);
  }

  #known(name: string): Known {
    const known = this.#agents.get(name) ?? { requests: 0, lastAt: 0, gapsMs: 0, responses: 0, tokens: 0 };
    this.#agents.delete(name);
    this.#agents.set(name, known);
    const [oldest] = this.#agents.keys();
    if (this.#agents.size > AGENTS && oldest !== undefined) this.#agents.delete(oldest);
    return known;
  }
}

/** The innermost first. */
function agentsAbove(scope: Scope): readonly Scope[] {
  const agents: Scope[] = [];
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent)
    if (at.scopeType === "agent" && at.parent !== undefined) agents.push(at);
  return agents;
}

function injected(
  { request, annotated }: MiddlewareShapes["llm_request_intercept"]["payload"],
  hints: JsonObject | undefined,
  path: string,
  header: boolean,
): LlmRequestInterceptOutcome {
  if (hints === undefined) return { request };
  const headers = header ? { ...request.headers, [HEADER]: JSON.stringify(hints) } : request.headers;
  const names = path.split(".").filter((name) => name !== "");
  if (names.length === 0) return { request: { ...request, headers } };
  // With a codec the content is written from the annotation, whose unknown fields are the provider's.
  if (isObject(annotated))
    return { request: { ...request, headers }, annotated: placed(annotated, names, hints) };
  const { content } = request;
  return { request: { headers, content: isObject(content) ? placed(content, names, hints) : content } };
}

function placed(object: JsonObject, [name = "", ...rest]: readonly string[], value: Json): JsonObject {
  const inner = object[name];
  return { ...object, [name]: rest.length === 0 ? value : placed(isObject(inner) ? inner : {}, rest, value) };
}
