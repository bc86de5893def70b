/**
 * ToolArguments: what a model sends to a tool of the program's, held to the JSON schema that the model was told.
 *
 * A model that sends something else is told where it is wrong, so that it may try again; the tool isn't run.
 */
import { dereference, type Schema, type SchemaDraft, Validator } from "@cfworker/json-schema";
import { limits } from "@troupe/protocol";
import { configErrors, hostToolErrors } from "../errors.ts";
import { withinMs } from "./bounded-check.ts";
import { schemaFault } from "./tool-schema.ts";

type Arguments = Readonly<Record<string, unknown>>;

/** Of each `$schema`; without one it is the newest, as in MCP. */
const drafts: readonly (readonly [name: string, draft: SchemaDraft])[] = [
  ["draft-04", "4"],
  ["draft-06", "7"],
  ["draft-07", "7"],
  ["2019-09", "2019-09"],
];

/** The check of one tool. */
export class ToolArguments {
  readonly #name: string;
  readonly #validator: Validator;

  /** Throws `config.invalid_option` where the schema is none. */
  constructor(name: string, schema: Arguments) {
    this.#name = name;
    try {
      const fault = schemaFault(schema);
      if (fault !== undefined) throw new Error(fault);
      // A copy, as JSON: what the model is told, too.
      const told: Schema = JSON.parse(JSON.stringify(schema));
      refuseLostReferences(told);
      this.#validator = new Validator(told, draftOf(schema["$schema"]), false);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw configErrors.invalidOption(`tools.${name}.inputSchema`, `a JSON schema (${why})`);
    }
  }

  #validated(args: Arguments): ReturnType<typeof withinMs<ReturnType<Validator["validate"]>>> {
    try {
      return withinMs(limits.toolArgumentsMs, () => this.#validator.validate(args));
    } catch (cause) {
      // The stack has an end: the arguments' own depth, or a schema's that leads to itself.
      if (!(cause instanceof RangeError)) throw cause;
      throw hostToolErrors.invalidArguments(this.#name, {
        at: "#",
        why: "they are too deep to check: send less in each other",
      });
    }
  }

  /** Throws `tool.arguments_invalid`. */
  check(args: Arguments): void {
    const checked = this.#validated(args);
    if (checked === undefined)
      throw hostToolErrors.invalidArguments(this.#name, {
        at: "#",
        why: "they take too long to check: send less",
      });
    const { valid, errors } = checked.result;
    if (valid) return;
    // The last one is about the place that is wrong, those before it about what it is in.
    const { instanceLocation, error } = errors.at(-1) ?? { instanceLocation: "#", error: "they don't fit" };
    throw hostToolErrors.invalidArguments(this.#name, { at: instanceLocation, why: error });
  }
}

/** Throws for a reference that leads nowhere: a validator says so only when a value comes there. */
function refuseLostReferences(told: Schema): void {
  const lookup = dereference(told);
  for (const schema of Object.values(lookup)) {
    if (typeof schema === "boolean" || schema.$ref === undefined) continue;
    const passed = new Set<unknown>();
    for (let at: Schema | boolean | undefined = schema; typeof at === "object"; ) {
      if (passed.has(at)) throw new Error(`${JSON.stringify(schema.$ref)} leads in a circle`);
      passed.add(at);
      if (at.$ref === undefined) break;
      const next: Schema | boolean | undefined = lookup[at.__absolute_ref__ ?? at.$ref];
      if (next === undefined) throw new Error(`nothing is at ${JSON.stringify(at.$ref)}`);
      at = next;
    }
  }
}

function draftOf(dialect: unknown): SchemaDraft {
  return drafts.find(([name]) => String(dialect).includes(name))?.[1] ?? "2020-12";
}
