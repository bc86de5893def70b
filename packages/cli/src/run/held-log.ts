/**
 * HeldLog: what plugins, and the relay of them, say while an agent has the screen. A line of ours would stand in the middle of what it draws, so warnings and errors
 * wait for its end, and what says less than that isn't kept. Who wants to read all of it at once sets `TROUPE_LOG`.
 */
import type { LogFields, Logger } from "@troupe/base";
import { textWithoutSecrets } from "@troupe/relay/secrets";
import { printable } from "../trace/printable.ts";

/** More lines are counted only: the last of them tell the most. */
const MOST_LINES = 20;
/** Characters of a line. */
const LINE = 500;

interface Held {
  lines: string[];
  leftOut: number;
}

/** Lines that wait. */
export class HeldLog implements Logger {
  readonly #held: Held;
  readonly #fields: LogFields;

  private constructor(held: Held, fields: LogFields) {
    this.#held = held;
    this.#fields = fields;
  }

  static empty(): HeldLog {
    return new HeldLog({ lines: [], leftOut: 0 }, {});
  }

  debug(): void {}

  info(): void {}

  warn(message: string, fields?: LogFields): void {
    this.#hold("warning", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#hold("error", message, fields);
  }

  child(fields: LogFields): Logger {
    return new HeldLog(this.#held, { ...this.#fields, ...fields });
  }

  /** What was held, for people; nothing where nothing was. */
  text(): string {
    const { lines, leftOut } = this.#held;
    const more = leftOut === 0 ? [] : [`troupe: ${leftOut} lines of the log before these are left out`];
    return [...more, ...lines].map((line) => `${line}\n`).join("");
  }

  #hold(level: string, message: string, fields: LogFields = {}): void {
    const { plugin, error, cause } = { ...this.#fields, ...fields };
    const who = typeof plugin === "string" ? `plugin ${plugin}: ` : "";
    const thrown = error ?? cause;
    const why = thrown instanceof Error ? `: ${thrown.message}` : "";
    const line = textWithoutSecrets(`troupe: ${level}: ${who}${message}${why}`);
    this.#held.lines.push(printable(line).slice(0, LINE));
    if (this.#held.lines.length <= MOST_LINES) return;
    this.#held.lines.shift();
    this.#held.leftOut += 1;
  }
}
