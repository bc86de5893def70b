/** The component "adaptive": hints for inference servers, and the response cache. */
import { isObject, text } from "../codecs/json.ts";
import { hintRules, registerHints } from "./adaptive-hints.ts";
import type { Component } from "./component.ts";
import { type FieldRules, rules } from "./findings.ts";
import type { LatencySensitivities } from "./latency-sensitivities.ts";
import {
  checkResponseCache,
  registerResponseCache,
  responseCacheRules,
} from "./response-cache/response-cache.ts";

/** What the format has and this component hasn't. */
const absent = (what: string) => () => `left out: ${what}`;

const adaptiveRules: FieldRules = {
  version: rules.oneOf(1),
  agent_id: rules.text,
  state: { backend: { kind: rules.oneOf("in_memory"), config: rules.object } },
  telemetry: absent("what hints need is learnt without being asked for"),
  adaptive_hints: hintRules,
  tool_parallelism: absent("tools are never scheduled by the relay"),
  acg: absent("prompts are never rewritten by the relay"),
  response_cache: responseCacheRules,
  policy: rules.object,
};

/** Hints and response cache. */
export function adaptiveComponent(sensitivities: LatencySensitivities): Component {
  return {
    validate: (config, findings) => {
      findings.check(config, adaptiveRules);
      const cache = config.response_cache;
      if (isObject(cache)) checkResponseCache(cache, findings);
    },
    register: (config, context) => {
      const { adaptive_hints: hints, response_cache: cache } = config;
      if (isObject(hints)) registerHints(hints, context, { agentId: text(config.agent_id), sensitivities });
      if (isObject(cache)) registerResponseCache(cache, context);
    },
  };
}
