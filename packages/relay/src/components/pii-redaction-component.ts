/**
 * The component "pii_redaction": personal data and secrets in events are removed, redacted, hashed or masked. It works on
 * events alone, never on the calls themselves.
 */
import { isList, isObject, type JsonObject } from "../codecs/json.ts";
import type { EventFields, Json, Metadata } from "../events/event.ts";
import type { EventSanitizePayload } from "../middleware/payloads.ts";
import { detectorNames } from "../redaction/detectors.ts";
import { Redaction, type RedactionProfile } from "../redaction/redaction.ts";
import type { Component, ComponentContext } from "./component.ts";
import { type FieldRules, type Findings, rules } from "./findings.ts";

const PRIORITY = 100;

const profileRules: FieldRules = {
  action: rules.oneOf("remove", "redact", "regex_replace", "hash", "mask"),
  target_paths: rules.texts,
  target_path_globs: rules.texts,
  pattern: rules.text,
  detector: rules.oneOf(...detectorNames),
  replacement: (value) => (typeof value === "string" ? undefined : "a text"),
  mask_char: (value) => (typeof value === "string" && [...value].length === 1 ? undefined : "one character"),
  unmasked_prefix: rules.from(0),
  unmasked_suffix: rules.from(0),
};
const configRules: FieldRules = {
  version: rules.oneOf(1),
  mode: rules.oneOf("builtin"),
  input: rules.flag,
  output: rules.flag,
  tool_input: rules.flag,
  tool_output: rules.flag,
  mark: rules.flag,
  priority: rules.number,
  // Payloads are walked through whatever their provider.
  codec: rules.text,
  builtin: profileRules,
  profiles: rules.objects,
  policy: rules.object,
};

/** Redaction of events. */
export const piiRedactionComponent: Component = {
  validate: (config, findings) => {
    findings.check(config, configRules);
    const profiles = profilesOf(config);
    if (profiles.length === 0) findings.unsupported("builtin", "there, or profiles");
    for (const [n, profile] of profiles.entries()) {
      const at = isObject(config.builtin) && n === 0 ? "builtin" : `profiles[${n}]`;
      if (at !== "builtin") findings.check(profile, profileRules, `${at}.`);
      checkProfile(profile, at, findings);
    }
  },
  register: (config, context) => register(config, context),
};

function register(config: JsonObject, context: ComponentContext): void {
  const profiles = profilesOf(config).map((profile) => profileOf(profile));
  const redaction = new Redaction(profiles, context.ports.sha256);
  const clean = ({ value }: { readonly value: Json }): Json => redaction.of(value);
  const options = { priority: typeof config.priority === "number" ? config.priority : PRIORITY };
  const { input = true, output = true, tool_input = true, tool_output = true, mark = true } = config;
  if (input === true) context.registerLlmSanitizeRequestGuardrail("input", clean, options);
  if (output === true) context.registerLlmSanitizeResponseGuardrail("output", clean, options);
  if (tool_input === true) context.registerToolSanitizeRequestGuardrail("tool_input", clean, options);
  if (tool_output === true) context.registerToolSanitizeResponseGuardrail("tool_output", clean, options);
  const fields =
    (ofTool: Json, ofOthers: Json) =>
    (payload: EventSanitizePayload): EventFields => {
      const { kind, category } = payload.event;
      const asked = kind === "scope" && category === "tool" ? ofTool : ofOthers;
      return cleanFields(redaction, payload, asked === true);
    };
  if (mark === true) context.registerMarkSanitizeGuardrail("mark", fields(true, true), options);
  // What the sanitizers of calls don't see: the data of scopes that are no calls, whatever they call themselves, and
  // metadata such as the text of an error.
  if (input === true || tool_input === true)
    context.registerScopeSanitizeStartGuardrail("start", fields(tool_input, input), options);
  if (output === true || tool_output === true)
    context.registerScopeSanitizeEndGuardrail("end", fields(tool_output, output), options);
}

/** A payload that its call's sanitizers have read isn't read twice: a path would mean something else by then. */
function cleanFields(
  redaction: Redaction,
  { fields, payloadSanitized }: EventSanitizePayload,
  asked: boolean,
): EventFields {
  return {
    data: payloadSanitized || !asked ? fields.data : redaction.of(fields.data),
    metadata: record(redaction.of(fields.metadata)),
    // A tool's annotation, and what a program has put there; annotated requests are made of clean payloads.
    category_profile: record(redaction.found(fields.category_profile)),
  };
}

function record(value: Json): Metadata | null {
  return isObject(value) ? value : null;
}

function profilesOf({ builtin, profiles }: JsonObject): readonly JsonObject[] {
  return [...(isObject(builtin) ? [builtin] : []), ...(isList(profiles) ? profiles.filter(isObject) : [])];
}

function checkProfile(profile: JsonObject, at: string, findings: Findings): void {
  const { action = "remove", pattern, detector, target_paths, target_path_globs } = profile;
  const targets = [target_paths, target_path_globs].some((list) => isList(list) && list.length > 0);
  const seeks = pattern !== undefined || detector !== undefined;
  if (pattern !== undefined && detector !== undefined)
    findings.unsupported(`${at}.pattern`, "left out beside a detector");
  if (action === "remove" && !targets)
    findings.unsupported(`${at}.target_paths`, "there: it says what to remove");
  if ((action === "redact" || action === "regex_replace") && !seeks)
    findings.unsupported(`${at}.pattern`, `there, or a detector: ${action} needs something to look for`);
  if ((action === "hash" || action === "mask") && !seeks && !targets)
    findings.unsupported(`${at}.target_paths`, "there, or a pattern or detector");
  if (typeof pattern === "string" && !isPattern(pattern))
    findings.unsupported(`${at}.pattern`, "a regular expression");
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern, "g") instanceof RegExp;
  } catch {
    return false;
  }
}

/** Of a profile that was checked. */
function profileOf(profile: JsonObject): RedactionProfile {
  return { action: "remove", ...profile } as RedactionProfile;
}
