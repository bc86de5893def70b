/**
 * The schemas of a definition: `actionInputSchemas` and `connParamsSchema`.
 *
 * What a schema makes of a value is what the actor gets.
 */
import { nearest } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { configErrors, validationErrors } from "../errors.ts";
import type { MaybePromise } from "../ports/storage.ts";
import { andThen } from "../storage/overlay.ts";
import type { StandardSchema } from "./types/standard-schema.ts";
import { validated } from "./validate.ts";

/** What a definition checks. */
export interface Schemas {
  /** Of lists of arguments, by the action's dotted name. */
  readonly actions: ReadonlyMap<string, StandardSchema>;
  readonly connParams: StandardSchema | undefined;
}

/** The schemas of a definition, if it has any. Throws `config.*`. */
export function parseSchemas(
  config: Readonly<Record<string, unknown>>,
  actions: ReadonlyMap<string, unknown>,
): Schemas | undefined {
  const { actionInputSchemas, connParamsSchema } = config;
  if (actionInputSchemas === undefined && connParamsSchema === undefined) return undefined;
  const found = new Map<string, StandardSchema>();
  collect(actionInputSchemas, "", { found, actions });
  if (connParamsSchema !== undefined && !isSchema(connParamsSchema))
    throw configErrors.invalidOption("connParamsSchema", "a Standard Schema");
  return Object.freeze({ actions: found, connParams: connParamsSchema });
}

/** The arguments that an action gets. Throws, or rejects with, `actor.validation_error` and what a schema throws. */
export function checkedArgs(
  schemas: Schemas | undefined,
  action: string,
  args: readonly unknown[],
): MaybePromise<readonly unknown[]> {
  const schema = schemas?.actions.get(action);
  if (schema === undefined) return args;
  return andThen(checked(schema, [...args], `action \`${action}\` arguments`), (value) =>
    Array.isArray(value) ? value : [value],
  );
}

/** The connection parameters that the actor gets. Throws as {@link checkedArgs}. */
export function checkedParams(schemas: Schemas | undefined, params: unknown): MaybePromise<unknown> {
  const schema = schemas?.connParams;
  return schema === undefined ? params : checked(schema, params, "connection params");
}

function checked(schema: StandardSchema, value: unknown, target: string): MaybePromise<unknown> {
  return validated(schema, value, (issues) => {
    const shown = issues.slice(0, limits.validationIssues);
    return validationErrors.invalid(target, shown, issues.length - shown.length);
  });
}

interface Collected {
  readonly found: Map<string, StandardSchema>;
  readonly actions: ReadonlyMap<string, unknown>;
}

function collect(tree: unknown, prefix: string, into: Collected): void {
  if (tree === undefined) return;
  const place = `actionInputSchemas${prefix === "" ? "" : `.${prefix}`}`;
  if (typeof tree !== "object" || tree === null)
    throw configErrors.invalidOption(place, "a Standard Schema, or an object of them by action");
  for (const [key, value] of Object.entries(tree)) {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    if (!isSchema(value)) collect(value, name, into);
    else if (!into.actions.has(name))
      throw configErrors.unknownKey(`actionInputSchemas.${name}`, nearest(name, into.actions.keys()));
    else if (into.found.has(name)) throw configErrors.bothOf(`nested schema of ${name}`, "dotted one");
    else into.found.set(name, value);
  }
}

function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  if (!("~standard" in value)) return false;
  const standard = value["~standard"];
  if (typeof standard !== "object" || standard === null) return false;
  return (
    "version" in standard &&
    standard.version === 1 &&
    "validate" in standard &&
    typeof standard.validate === "function"
  );
}
