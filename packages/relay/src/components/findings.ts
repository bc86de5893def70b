/** Findings: what the check of one component's configuration has found, by its document's policy. */
import { isList, isObject, type JsonObject } from "../codecs/json.ts";
import type { Json } from "../events/event.ts";
import type { ConfigDiagnostic, ConfigPolicy, UnsupportedBehavior } from "./config.ts";

/** What a field may hold: undefined when the value does, else what it must be. */
export type FieldRule = (value: Json) => string | undefined;

/** The rules of an object by field. */
export interface FieldRules {
  readonly [field: string]: FieldRule | FieldRules;
}

const defaults = { unknown_component: "warn", unknown_field: "warn", unsupported_value: "error" } as const;

/** What was found. */
export class Findings {
  readonly diagnostics: ConfigDiagnostic[] = [];
  readonly #component: string | undefined;
  readonly #policy: ConfigPolicy;

  constructor(policy: ConfigPolicy, component?: string) {
    this.#policy = policy;
    this.#component = component;
  }

  get failed(): boolean {
    return this.diagnostics.some(({ level }) => level === "error");
  }

  /** The same policy, about a component. */
  of(component: string, own: Json | undefined): Findings {
    return new Findings(isObject(own) ? { ...this.#policy, ...own } : this.#policy, component);
  }

  error(code: string, message: string, field?: string): void {
    this.#add("error", code, message, field);
  }

  /** By the policy. */
  found(what: keyof typeof defaults, message: string, field?: string): void {
    const behavior: UnsupportedBehavior = this.#policy[what] ?? defaults[what];
    if (behavior !== "ignore") this.#add(behavior === "warn" ? "warning" : "error", what, message, field);
  }

  unsupported(field: string, expected: string): void {
    this.found("unsupported_value", `${field} must be ${expected}`, field);
  }

  /** Checks each field; those without a rule are unknown. */
  check(config: JsonObject, rules: FieldRules, at = ""): void {
    for (const [name, value] of Object.entries(config)) {
      const field = `${at}${name}`;
      const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
      if (rule === undefined) this.found("unknown_field", `unknown field "${field}"`, field);
      else if (typeof rule !== "function") {
        if (isObject(value)) this.check(value, rule, `${field}.`);
        else this.unsupported(field, "an object");
      } else {
        const expected = rule(value);
        if (expected !== undefined) this.unsupported(field, expected);
      }
    }
  }

  #add(level: "warning" | "error", code: string, message: string, field: string | undefined): void {
    const component = this.#component;
    this.diagnostics.push({
      level,
      code: `${component ?? "plugin"}.${code}`,
      ...(component === undefined ? {} : { component }),
      ...(field === undefined ? {} : { field }),
      message,
    });
  }
}

/** Rules for fields. */
export const rules = {
  text: (value: Json) => (typeof value === "string" && value !== "" ? undefined : "a text"),
  texts: (value: Json) =>
    isList(value) && value.every((each) => typeof each === "string") ? undefined : "a list of texts",
  flag: (value: Json) => (typeof value === "boolean" ? undefined : "true or false"),
  number: (value: Json) => (Number.isFinite(value) ? undefined : "a number"),
  object: (value: Json) => (isObject(value) ? undefined : "an object"),
  objects: (value: Json) => (isList(value) && value.every(isObject) ? undefined : "a list of objects"),
  headers: (value: Json) =>
    isObject(value) && Object.values(value).every((each) => typeof each === "string")
      ? undefined
      : "an object of texts",
  anything: () => undefined,
  oneOf:
    (...values: readonly Json[]): FieldRule =>
    (value) =>
      values.includes(value) ? undefined : `one of ${values.map((one) => JSON.stringify(one)).join(", ")}`,
  from:
    (least: number, most = Number.POSITIVE_INFINITY): FieldRule =>
    (value) =>
      typeof value === "number" && value >= least && value <= most
        ? undefined
        : most === Number.POSITIVE_INFINITY
          ? `${least} or more`
          : `from ${least} to ${most}`,
} as const;
