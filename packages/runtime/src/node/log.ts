/**
 * Log lines on stderr: JSON for machines, short text on a terminal.
 */
import { type LogFields, type Logger, TroupeError } from "@troupe/base";

/** From the most to the least talkative. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** All of them. */
export const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

/** What `TROUPE_LOG` asks for; a word that it doesn't know is refused at a start (`start-options.ts`). */
export function levelAsked(usual: LogLevel): LogLevel {
  return logLevels.find((level) => level === process.env["TROUPE_LOG"]) ?? usual;
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** Writes to stderr. */
export class NodeLogger implements Logger {
  readonly #rank: number;
  readonly #fields: LogFields;
  readonly #level: LogLevel;

  constructor(level: LogLevel, fields: LogFields = {}) {
    this.#level = level;
    this.#rank = ranks[level];
    this.#fields = fields;
  }

  /** True when lines of this level are written. */
  writes(level: LogLevel): boolean {
    return ranks[level] >= this.#rank;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write("error", message, fields);
  }

  child(fields: LogFields): Logger {
    return new NodeLogger(this.#level, { ...this.#fields, ...fields });
  }

  #write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (ranks[level] < this.#rank) return;
    const all = { ...this.#fields, ...fields };
    process.stderr.write(`${lineOf(level, message, all)}\n`);
  }
}

/** True when warnings of this log go to stderr, so that another thread may write one there. */
export function writesWarnings(log: Logger): boolean {
  return log instanceof NodeLogger && log.writes("warn");
}

/** Never throws: whoever logs what was thrown at it doesn't know what that is. What can't be read costs no other field. */
function lineOf(level: LogLevel, message: string, fields: LogFields): string {
  const format = process.stderr.isTTY ? prettyLine : jsonLine;
  try {
    return format(level, message, fields);
  } catch {
    const readable = Object.entries(fields).map(([key, value]) => [
      key,
      isReadable(value) ? value : "[unreadable]",
    ]);
    return format(level, message, Object.fromEntries(readable));
  }
}

function isReadable(value: unknown): boolean {
  try {
    written(plainField(value));
    return true;
  } catch {
    return false;
  }
}

/** JSON has no word for a BigInt: it is written as a text. */
function written(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? part.toString() : part));
}

function jsonLine(level: LogLevel, message: string, fields: LogFields): string {
  const plain = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plainField(value)]));
  return written({ ts: new Date().toISOString(), level, msg: message, ...plain });
}

function prettyLine(level: LogLevel, message: string, fields: LogFields): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const pairs = given.map(([key, value]) => {
    const plain = plainField(value);
    return `${key}=${typeof plain === "string" ? plain : written(plain)}`;
  });
  return `${new Date().toISOString().slice(11, 23)} ${level.padEnd(5)} ${message} ${pairs.join(" ")}`.trimEnd();
}

function plainField(value: unknown): unknown {
  if (isFullDisk(value)) return { code: "storage.disk_full", message: value.message };
  if (value instanceof Error) {
    const cause = value.cause === undefined ? {} : { cause: plainField(value.cause) };
    return { name: value.name, message: value.message, stack: value.stack, ...cause };
  }
  return typeof value === "bigint" ? value.toString() : value;
}

/** Every write fails so, and where it was thrown says nothing; a log on the same disk needs the room. */
function isFullDisk(value: unknown): value is TroupeError {
  return TroupeError.is(value) && value.group === "storage" && value.code === "disk_full";
}
