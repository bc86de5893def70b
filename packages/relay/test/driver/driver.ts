/** A relay with a subscriber that remembers, timers that fire when told to, and a log that can be read. */
import type { TimerHandle } from "@troupe/base";
import { type Relay, type RelayEvent, relayOn } from "@troupe/relay";
import { platformEnv } from "../../src/platform.ts";

export class Driver {
  readonly relay: Relay;
  /** What the subscriber got, in order. */
  readonly events: RelayEvent[] = [];
  readonly warnings: string[] = [];
  readonly #timers = new Map<TimerHandle, () => void>();

  constructor(options: { readonly listening?: boolean } = {}) {
    const timers = {
      set: (task: () => void): TimerHandle => {
        const timer = {};
        this.#timers.set(timer, task);
        return timer;
      },
      clear: (timer: TimerHandle): void => void this.#timers.delete(timer),
    };
    const log = { warn: (message: string): void => void this.warnings.push(message) };
    this.relay = relayOn({ ...platformEnv(), timers, log });
    if (options.listening !== false)
      this.relay.registerSubscriber("driver", (event) => this.events.push(event));
  }

  /** How many deadlines are running. */
  get deadlines(): number {
    return this.#timers.size;
  }

  /** All deadlines are over. */
  deadlinesPass(): void {
    for (const [timer, task] of [...this.#timers]) {
      this.#timers.delete(timer);
      task();
    }
  }

  /** One line for each event: what it is, its name, its data. */
  async story(): Promise<string[]> {
    await this.relay.flushSubscribers();
    return this.events.map(line);
  }

  /** The event with this name and category, after a flush. */
  async find(name: string, category: "start" | "end" | "mark"): Promise<RelayEvent> {
    await this.relay.flushSubscribers();
    const found = this.events.find(
      (event) => event.name === name && (event.kind === "mark" ? "mark" : event.scope_category) === category,
    );
    if (found === undefined)
      throw new Error(`no ${category} of ${name} in:\n${this.events.map(line).join("\n")}`);
    return found;
  }
}

function line(event: RelayEvent): string {
  const what = event.kind === "mark" ? "mark" : `${event.scope_category} ${event.category}`;
  return `${what} ${event.name} ${JSON.stringify(event.data)}`;
}

/** The `group.code` that a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "fulfilled";
  } catch (error) {
    return describe(error);
  }
}

/** The `group.code` of a thrown error, or its message. */
export function describe(error: unknown): string {
  if (error instanceof Error && "group" in error && "code" in error) return `${error.group}.${error.code}`;
  return error instanceof Error ? error.message : String(error);
}

/** The `group.code` that `fn` throws. */
export function thrownBy(fn: () => unknown): string {
  try {
    fn();
    return "nothing";
  } catch (error) {
    return describe(error);
  }
}
