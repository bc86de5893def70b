/**
 * Who may call which action: `canCall` of a definition, by the action's name or by a group's.
 *
 * The rule nearest to an action counts: its own before its group's, that group's before the one around it. They are sorted
 * out when the definition is made, so that a call looks in one place, and an action without a rule isn't there.
 */
import { nearest } from "@troupe/base";
import { configErrors } from "../errors.ts";
import type { Hook } from "./behaviour.ts";

/** "internal": other actors and the actor's own schedules. */
export type CallRule = "internal" | Hook;

/** Rules by the action's dotted name. */
export type CallRules = ReadonlyMap<string, CallRule>;

/** `undefined` when no action has a rule. Throws `config.*`. */
export function parseCallRules(tree: unknown, actions: Iterable<string>): CallRules | undefined {
  if (tree === undefined) return undefined;
  const given = new Map<string, CallRule>();
  collect(tree, "", given);
  const names = [...actions];
  for (const place of given.keys()) {
    if (!names.some((name) => isAt(name, place)))
      throw configErrors.unknownKey(`canCall.${place}`, nearest(place, names));
  }
  const rules = new Map<string, CallRule>();
  // Longer places come last, and win.
  const places = [...given].sort(([one], [other]) => one.length - other.length);
  for (const [place, rule] of places) {
    for (const name of names) if (isAt(name, place)) rules.set(name, rule);
  }
  return rules.size === 0 ? undefined : rules;
}

/** True for an action at a place, and for those of the group that stands there. */
function isAt(action: string, place: string): boolean {
  return action === place || action.startsWith(`${place}.`);
}

function collect(tree: unknown, prefix: string, into: Map<string, CallRule>): void {
  const place = `canCall${prefix === "" ? "" : `.${prefix}`}`;
  if (typeof tree !== "object" || tree === null)
    throw configErrors.invalidOption(place, '"internal", a function, or an object of them by action');
  for (const [key, value] of Object.entries(tree)) {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    if (value === undefined) continue;
    if (!isRule(value)) collect(value, name, into);
    else if (into.has(name)) throw configErrors.bothOf(`nested rule of ${name}`, "dotted one");
    else into.set(name, value);
  }
}

function isRule(value: unknown): value is CallRule {
  return value === "internal" || typeof value === "function";
}
