/**
 * Which tools' results may be kept, and how: by an override of the tool's name, by the first class that it is a member of,
 * or by the default. What an override or class leaves out the default says. No tool is cached that nobody has named so.
 */
import { isList, isObject, type JsonObject } from "../../codecs/json.ts";
import { type FieldRules, rules } from "../findings.ts";

/** How a tool's results are kept. */
export interface ToolPolicy {
  readonly cacheable: boolean;
  readonly ttlSeconds: number;
  readonly bypassRate: number;
  /** Part of the key: results of another version aren't used. */
  readonly toolVersion: string;
  /** Arguments that aren't part of the key. */
  readonly argSkip: readonly string[];
}

const override: FieldRules = {
  cacheable: rules.flag,
  ttl_seconds: rules.from(1),
  bypass_rate: rules.from(0, 1),
  tool_version: rules.text,
  arg_skip: rules.texts,
};

/** The fields of a class and of an override. */
export const toolRules = { override, class: { ...override, members: rules.texts } } as const;

/** The policy for `tool`. */
export function toolPolicy(tools: JsonObject, tool: string, common: ToolPolicy): ToolPolicy {
  const { default: usual, classes, overrides } = tools;
  const named = Object.values(isObject(classes) ? classes : {})
    .filter(isObject)
    .find(({ members }) => isList(members) && members.some((member) => isMember(String(member), tool)));
  const own = Object.entries(isObject(overrides) ? overrides : {}).find(([name]) =>
    isMember(name, tool),
  )?.[1];
  return [usual, named, own].filter(isObject).reduce(over, common);
}

function over(policy: ToolPolicy, given: JsonObject): ToolPolicy {
  const { cacheable, ttl_seconds, bypass_rate, tool_version, arg_skip } = given;
  return {
    cacheable: typeof cacheable === "boolean" ? cacheable : policy.cacheable,
    ttlSeconds: typeof ttl_seconds === "number" ? ttl_seconds : policy.ttlSeconds,
    bypassRate: typeof bypass_rate === "number" ? bypass_rate : policy.bypassRate,
    toolVersion: typeof tool_version === "string" ? tool_version : policy.toolVersion,
    argSkip: isList(arg_skip) ? arg_skip.map(String) : policy.argSkip,
  };
}

/** `name`, `prefix*`, `*suffix` or `*within*`. */
export function isMember(pattern: string, tool: string): boolean {
  const open = pattern.startsWith("*");
  const through = pattern.endsWith("*") && pattern.length > 1;
  const name = pattern.slice(open ? 1 : 0, through ? -1 : undefined);
  if (open && through) return tool.includes(name);
  if (open) return tool.endsWith(name);
  return through ? tool.startsWith(name) : tool === name;
}
