/**
 * An Env under a test's control: virtual time, ids that count up, and log lines that are kept.
 */
import type { Env, LogFields, Logger } from "@troupe/base";
import { nodeEnv } from "../../src/node/env.ts";
import { VirtualTime } from "../../src/testing/virtual-time.ts";

/** A line of the log. */
export interface Line {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

/** Rounds of macrotasks after which a condition that isn't true is taken for one that never will be. */
const MOST_ROUNDS = 20_000;

export class World extends VirtualTime implements Env {
  readonly lines: Line[] = [];
  readonly crypto = nodeEnv().crypto;
  readonly random = (): number => 0.5;
  readonly log = this.#logger({});
  #ids = 0;
  #held: (() => void)[] | undefined;

  constructor() {
    super(nodeEnv(), 1_700_000_000_000);
  }

  readonly ids = {
    random: (): string => this.#id().padStart(32, "0"),
    ordered: (): string => `00000000-0000-7000-8000-${this.#id().padStart(12, "0")}`,
  };

  protected override turn(task: () => void): void {
    if (this.#held === undefined) super.turn(task);
    else this.#held.push(task);
  }

  /** Keeps back what `afterTurn` is given, until `resumeTurns`. */
  holdTurns(): void {
    this.#held = [];
  }

  resumeTurns(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const task of held) this.afterTurn(task);
  }

  /** Settles when `condition` holds; throws what `describe` says when it never does. */
  async until(condition: () => boolean, describe: () => unknown = () => this.lines): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      if (condition()) return;
      await macrotask();
    }
    throw new Error(`it never came: ${condition}\nstate: ${JSON.stringify(describe(), undefined, 2)}`);
  }

  /** Goes on where another world ended: clocks and ids. */
  override startAt(before: World): void {
    super.startAt(before);
    this.#ids = before.#ids + 0x1000;
  }

  /** The log's lines of a level with a text. */
  logged(level: Line["level"], message: string): Line[] {
    return this.lines.filter((line) => line.level === level && line.message.includes(message));
  }

  #id(): string {
    this.#ids += 1;
    return this.#ids.toString(16);
  }

  #logger(fields: LogFields): Logger {
    const write = (level: Line["level"]) => (message: string, more?: LogFields) =>
      void this.lines.push({ level, message, fields: { ...fields, ...more } });
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (more) => this.#logger({ ...fields, ...more }),
    };
  }
}

/** Settles in a macrotask, after all microtasks. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
