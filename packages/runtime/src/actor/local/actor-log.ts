/**
 * ActorLog: `c.log`. It takes the message first, as the rest of Troupe does, or the fields, as pino does; whatever else it is
 * given becomes a line too: a log that throws, or that takes a text apart into its letters, helps nobody.
 */
import type { LogFields, Logger } from "@troupe/base";
import type { ActorLogger } from "../types/actor-log.ts";

type Level = "debug" | "info" | "warn" | "error";

/** The log that an actor's code sees, over the runtime's own. */
export class ActorLog implements ActorLogger {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  trace(first: unknown, second?: unknown): void {
    this.#write("debug", first, second);
  }

  debug(first: unknown, second?: unknown): void {
    this.#write("debug", first, second);
  }

  info(first: unknown, second?: unknown): void {
    this.#write("info", first, second);
  }

  warn(first: unknown, second?: unknown): void {
    this.#write("warn", first, second);
  }

  error(first: unknown, second?: unknown): void {
    this.#write("error", first, second);
  }

  fatal(first: unknown, second?: unknown): void {
    this.#write("error", first, second);
  }

  child(fields: LogFields): ActorLogger {
    return new ActorLog(this.#log.child(fieldsOf(fields)));
  }

  #write(level: Level, first: unknown, second: unknown): void {
    if (isFields(first)) {
      const { msg, ...fields } = fieldsOf(first);
      this.#log[level](String(second ?? msg ?? messageOf(first)), fields);
    } else if (second === undefined) this.#log[level](String(first));
    else this.#log[level](String(first), isFields(second) ? fieldsOf(second) : { value: second });
  }
}

function isFields(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function fieldsOf(value: object): Record<string, unknown> {
  return value instanceof Error ? { err: value } : { ...value };
}

function messageOf(value: object): string {
  return value instanceof Error ? value.message : "";
}
