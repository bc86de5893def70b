/**
 * Log lines of an isolate: what its actor prints, and what the guest has to say of it.
 */
import type { LogFields, Logger } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { LogLevel } from "@troupe/protocol/actor/v1";

/** Takes a line. */
export type Line = (level: LogLevel, message: string) => void;

const levels = {
  debug: LogLevel.DEBUG,
  info: LogLevel.INFO,
  warn: LogLevel.WARN,
  error: LogLevel.ERROR,
} as const;

type LevelName = keyof typeof levels;

/** The guest's logger. Fields are part of the text: a line is all that crosses. */
export class LineLogger implements Logger {
  readonly #line: Line;
  readonly #fields: LogFields;

  constructor(line: Line, fields: LogFields = {}) {
    this.#line = line;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log("error", message, fields);
  }

  child(fields: LogFields): Logger {
    return new LineLogger(this.#line, { ...this.#fields, ...fields });
  }

  #log(level: LevelName, message: string, fields: LogFields = {}): void {
    const words = Object.entries({ ...this.#fields, ...fields }).map(
      ([name, value]) => `${name}=${shown(value)}`,
    );
    this.#line(levels[level], [message, ...words].join(" "));
  }
}

/** `console`, as lines. */
export function consoleOf(line: Line): Readonly<Record<string, (...values: unknown[]) => void>> {
  const at =
    (level: LevelName) =>
    (...values: unknown[]): void =>
      line(levels[level], values.map(shown).join(" ").slice(0, limits.errorMessageLength));
  return Object.freeze({
    debug: at("debug"),
    trace: at("debug"),
    log: at("info"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  });
}

/** A value for people. Never throws. */
function shown(value: unknown): string {
  try {
    if (typeof value === "string") return value;
    if (value instanceof Error) return value.stack ?? String(value);
    return typeof value === "object" ? (JSON.stringify(value) ?? String(value)) : String(value);
  } catch {
    return "(something that can't be shown)";
  }
}
