/**
 * Log lines of an isolate: what its actor prints, and what the guest has to say of it.
 */
import type { LogFields, Logger } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { LogLevel } from "@troupe/protocol/actor/v1";

/** Takes a line. `fields`: what it says beside its words, a JSON object. */
export type Line = (level: LogLevel, message: string, fields?: string) => void;

const levels = {
  debug: LogLevel.DEBUG,
  info: LogLevel.INFO,
  warn: LogLevel.WARN,
  error: LogLevel.ERROR,
} as const;

type LevelName = keyof typeof levels;

/** The guest's logger. */
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
    this.#line(levels[level], message, fieldsText({ ...this.#fields, ...fields }));
  }
}

/** Fields as the host takes them: a JSON object of at most `limits.errorMessageLength`; what has no room is cut, or not there. */
function fieldsText(fields: LogFields): string | undefined {
  const parts: string[] = [];
  let room = limits.errorMessageLength - 2;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const start = `${JSON.stringify(name)}:`;
    const whole = `${start}${inJson(value)}`;
    // A sign of a text is up to six in JSON.
    const cut = JSON.stringify(shown(value).slice(0, Math.max(0, Math.floor((room - start.length) / 6) - 1)));
    const part = whole.length < room ? whole : `${start}${cut}`;
    if (part.length >= room) break;
    room -= part.length + 1;
    parts.push(part);
  }
  return parts.length === 0 ? undefined : `{${parts.join(",")}}`;
}

/** A value as JSON; what JSON has no word for as people read it. Never throws. */
function inJson(value: unknown): string {
  try {
    if (!(value instanceof Error)) return JSON.stringify(value) ?? JSON.stringify(shown(value));
  } catch {}
  return JSON.stringify(shown(value));
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
