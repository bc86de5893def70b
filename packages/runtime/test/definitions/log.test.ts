/** `c.log`: message first, or fields first as pino has it. */
import type { LogFields, Logger } from "@troupe/base";
import { expect, test } from "vitest";
import { ActorLog } from "../../src/actor/local/actor-log.ts";

/** Keeps lines: level, message, fields. */
class Lines implements Logger {
  readonly all: unknown[][];
  readonly #fields: LogFields;

  constructor(all: unknown[][] = [], fields: LogFields = {}) {
    this.all = all;
    this.#fields = fields;
  }

  debug = (message: string, fields?: LogFields) => this.#keep("debug", message, fields);
  info = (message: string, fields?: LogFields) => this.#keep("info", message, fields);
  warn = (message: string, fields?: LogFields) => this.#keep("warn", message, fields);
  error = (message: string, fields?: LogFields) => this.#keep("error", message, fields);

  child(fields: LogFields): Logger {
    return new Lines(this.all, { ...this.#fields, ...fields });
  }

  #keep(level: string, message: string, fields: LogFields | undefined): void {
    this.all.push([level, message, { ...this.#fields, ...fields }]);
  }
}

test("both shapes give the same line, and no text is taken apart", () => {
  const lines = new Lines();
  const log = new ActorLog(lines);
  const error = new Error("gone");
  log.info("sold", { seats: 2 });
  log.info({ seats: 2 }, "sold");
  log.info({ msg: "sold", seats: 2 });
  log.warn({ err: error }, "waited");
  log.error(error);
  log.child({ row: 7 }).fatal({ seats: 5 }, "sold");
  log.trace("fine");
  log.debug({ seats: 1 });
  // What types don't let through, and plain JavaScript does.
  log.info(JSON.parse('"odd"'), JSON.parse('"fields"'));
  log.info(JSON.parse("7"));
  expect(lines.all).toEqual([
    ["info", "sold", { seats: 2 }],
    ["info", "sold", { seats: 2 }],
    ["info", "sold", { seats: 2 }],
    ["warn", "waited", { err: error }],
    ["error", "gone", { err: error }],
    ["error", "sold", { row: 7, seats: 5 }],
    ["debug", "fine", {}],
    ["debug", "", { seats: 1 }],
    ["info", "odd", { value: "fields" }],
    ["info", "7", {}],
  ]);
});
