/**
 * ToolArguments: what a model sends to a tool of the program's, held to the JSON schema that the model was told.
 *
 * A model that sends something else is told where it is wrong, so that it may try again; the tool isn't run.
 */
import { type Schema, type SchemaDraft, Validator } from "@cfworker/json-schema";
import { configErrors, hostToolErrors } from "../errors.ts";

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
      // A copy, as JSON: what the model is told, too.
      const told: Schema = JSON.parse(JSON.stringify(schema));
      this.#validator = new Validator(told, draftOf(schema["$schema"]), false);
      this.#validator.validate({});
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw configErrors.invalidOption(`tools.${name}.inputSchema`, `a JSON schema (${why})`);
    }
  }

  /** Throws `tool.arguments_invalid`. */
  check(args: Arguments): void {
    const { valid, errors } = this.#validator.validate(args);
    if (valid) return;
    // The last one is about the place that is wrong, those before it about what it is in.
    const { instanceLocation, error } = errors.at(-1) ?? { instanceLocation: "#", error: "they don't fit" };
    throw hostToolErrors.invalidArguments(this.#name, { at: instanceLocation, why: error });
  }
}

function draftOf(dialect: unknown): SchemaDraft {
  return drafts.find(([name]) => String(dialect).includes(name))?.[1] ?? "2020-12";
}
