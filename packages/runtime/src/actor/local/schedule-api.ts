/**
 * `c.schedule`, and what happens when a scheduled call is due.
 */
import { scheduleErrors } from "../../errors.ts";
import { type ScheduleEntry, Schedules } from "../../schedule/schedule.ts";
import type { Schedule, ScheduledCall, ScheduledFireInfo } from "../types/context.ts";
import type { Activation } from "./activation.ts";
import { runAction } from "./call.ts";

/** `c.schedule` of one activation. */
export class ScheduleApi implements Schedule {
  readonly #activation: Activation;

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  after(delayMs: number, action: string, ...args: readonly unknown[]): Promise<string> {
    return this.at(this.#activation.env.clock.now() + delayMs, action, ...args);
  }

  at(timestamp: number, action: string, ...args: readonly unknown[]): Promise<string> {
    const id = this.#add(timestamp, action, args);
    // A call that is scheduled in passing, its promise forgotten, must not fail in silence.
    id.catch((cause: unknown) =>
      this.#activation.log.warn("a call could not be scheduled", { action, cause }),
    );
    return id;
  }

  async cancel(id: string): Promise<boolean> {
    return this.#activation.schedules.cancel(id);
  }

  async get(id: string): Promise<ScheduledCall | undefined> {
    const entry = this.#activation.schedules.get(id);
    return entry === undefined ? undefined : publicEntry(entry);
  }

  async list(): Promise<ScheduledCall[]> {
    return this.#activation.schedules.list().map(publicEntry);
  }

  async #add(timestamp: number, action: string, args: readonly unknown[]): Promise<string> {
    if (!this.#activation.behaviour.actions.has(action)) throw scheduleErrors.unknownAction(action);
    return this.#activation.schedules.add(timestamp, action, args);
  }
}

function publicEntry(entry: ScheduleEntry): ScheduledCall {
  return { id: entry.id, action: entry.action, args: [...entry.args], runAt: entry.runAt };
}

/** The schedules of an activation. */
export function openSchedules(activation: Activation): Schedules {
  return new Schedules(activation.env, {
    wrote: () => activation.wrote(),
    fire: (entry, firedAt) => fireSchedule(activation, entry, firedAt),
    maxSchedules: activation.descriptor.options.maxSchedules,
  });
}

/**
 * Runs a due call. Rejects only when the activation ended meanwhile, so that the call is kept; a call that fails has
 * had its attempt, and its error is in the log.
 */
async function fireSchedule(activation: Activation, entry: ScheduleEntry, firedAt: number): Promise<void> {
  const info: ScheduledFireInfo = { kind: "at", id: entry.id, scheduledAt: entry.runAt, firedAt };
  activation.work.begin("schedule");
  try {
    await runAction(activation, entry.action, [...entry.args, info]);
  } catch (cause) {
    if (activation.phase.tag === "stopped") throw cause;
    activation.log.error("a scheduled call failed", { action: entry.action, scheduleId: entry.id, cause });
  } finally {
    activation.work.end("schedule");
  }
}
