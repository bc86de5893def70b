/** What a definition says of its events, beside their types: who may listen, and how many are kept. */
import { limits } from "@troupe/protocol";
import { configErrors } from "../errors.ts";

/** A function of the user's. */
type Guard = (...args: unknown[]) => unknown;

/** The rule of one event. */
export interface EventRule {
  /** Asked before somebody listens. */
  readonly canSubscribe: Guard | undefined;
  /** Events that are kept; 0: none. */
  readonly retain: number;
}

/** Rules by event; events without one aren't here. */
export type EventRules = ReadonlyMap<string, EventRule>;

/** `undefined` when no event has a rule. Throws `config.invalid_option`. */
export function parseEventRules(events: unknown): EventRules | undefined {
  if (typeof events !== "object" || events === null) return undefined;
  const rules = new Map<string, EventRule>();
  for (const [name, declaration] of Object.entries(events)) {
    const rule = parseRule(name, declaration);
    if (rule !== undefined) rules.set(name, rule);
  }
  return rules.size === 0 ? undefined : rules;
}

function parseRule(name: string, declaration: unknown): EventRule | undefined {
  if (typeof declaration !== "object" || declaration === null) return undefined;
  const canSubscribe = "canSubscribe" in declaration ? declaration.canSubscribe : undefined;
  const retain = "retain" in declaration ? (declaration.retain ?? 0) : 0;
  if (canSubscribe !== undefined && !isGuard(canSubscribe)) {
    throw configErrors.invalidOption(`events.${name}.canSubscribe`, "a function");
  }
  const most = limits.retainedEvents;
  if (typeof retain !== "number" || !Number.isInteger(retain) || retain < 0 || retain > most) {
    throw configErrors.invalidOption(`events.${name}.retain`, `a whole number, 0 to ${most}`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  if (retain > 0 && (/[\x00-\x1f\x7f]/.test(name) || !name.isWellFormed())) {
    throw configErrors.invalidOption(`events.${JSON.stringify(name)}`, "named without control characters");
  }
  return canSubscribe === undefined && retain === 0 ? undefined : { canSubscribe, retain };
}

function isGuard(value: unknown): value is Guard {
  return typeof value === "function";
}
