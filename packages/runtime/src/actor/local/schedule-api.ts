/** `c.schedule`: what it is given is checked here, and what it gives is a copy. */
import type { Env } from "@troupe/base";
import { cloneValue, limits } from "@troupe/protocol";
import { type Observer, observed } from "../../ports/observed.ts";
import { scheduleErrors } from "../../schedule/errors.ts";
import type { OneShot } from "../../schedule/one-shot.ts";
import { noRetry, parseRetry } from "../../schedule/retry.ts";
import type { OneShotSettings, Schedules } from "../../schedule/schedule.ts";
import type { Schedule, ScheduledCall, ScheduleSetOptions } from "../types/schedule.ts";

/** What has schedules. */
export interface Scheduling extends Observer {
  readonly schedules: Schedules;
  readonly env: Pick<Env, "clock" | "afterTurn">;
  readonly behaviour: { readonly actions: { has(name: string): boolean } };
}

/** `c.schedule` of one activation. */
export class ScheduleApi implements Schedule {
  readonly #activation: Scheduling;

  constructor(activation: Scheduling) {
    this.#activation = activation;
  }

  after(delayMs: number, action: string, ...args: readonly unknown[]): Promise<string> {
    return this.#at(this.#now + delayMs, action, args);
  }

  at(timestamp: number, action: string, ...args: readonly unknown[]): Promise<string> {
    this.#lookAt(timestamp, action);
    return this.#at(timestamp, action, args);
  }

  #at(timestamp: number, action: string, args: readonly unknown[]): Promise<string> {
    return this.#told(() => this.#add({ runAt: timestamp, action, args, retry: noRetry }));
  }

  set(options: ScheduleSetOptions): Promise<string> {
    return this.#told(() => {
      const { name, at, delayMs, action, args = [], retry } = options;
      if (name !== undefined) checkScheduleName(name);
      if ((at === undefined) === (delayMs === undefined)) {
        throw scheduleErrors.invalidOption("at", "given, or `delayMs`, and not both");
      }
      if (at !== undefined) this.#lookAt(at, action);
      const runAt = at ?? this.#now + (delayMs ?? 0);
      return this.#add({ runAt, action, args, name, retry: parseRetry(retry) });
    });
  }

  cancel(id: string): Promise<boolean> {
    return this.#told(() => this.#activation.schedules.cancel(id));
  }

  retry(id: string, options: { readonly at?: number } = {}): Promise<boolean> {
    return this.#told(() => this.#activation.schedules.again(id, options.at ?? this.#now));
  }

  get(id: string): Promise<ScheduledCall | undefined> {
    return this.#told(() => {
      const call = this.#activation.schedules.get(id);
      return call === undefined ? undefined : publicCall(call);
    });
  }

  list(): Promise<ScheduledCall[]> {
    return this.#told(() => this.#activation.schedules.list().map(publicCall));
  }

  /** On a clock that only a test moves, a time that has passed was mostly made with the real one. */
  #lookAt(timestamp: number, action: string): void {
    const { env, log } = this.#activation;
    const behindMs = env.clock.now() - timestamp;
    if (env.clock.steady !== true || !(behindMs > 0)) return;
    log.warn(
      "scheduled for a time that has passed on the test's clock, which c.schedule.after() follows and Date.now() doesn't",
      { action, behindMs },
    );
  }

  get #now(): number {
    return this.#activation.env.clock.now();
  }

  #add(settings: OneShotSettings): string {
    checkAction(this.#activation, settings.action);
    return this.#activation.schedules.add(settings);
  }

  #told<R>(work: () => R): Promise<R> {
    return told(this.#activation, "c.schedule", work);
  }
}

/** Does it now, behind a promise that nobody has to await. */
export function told<R>(activation: Scheduling, what: string, work: () => R | Promise<R>): Promise<R> {
  return observed((async () => await work())(), activation, what);
}

/** Throws `schedule.unknown_action`. */
export function checkAction(activation: Scheduling, action: string): void {
  if (!activation.behaviour.actions.has(action)) throw scheduleErrors.unknownAction(action);
}

/** Throws `schedule.invalid_name`. */
export function checkScheduleName(name: string): void {
  const limit = limits.scheduleNameLength;
  const valid =
    typeof name === "string" &&
    name.length > 0 &&
    name.length <= limit &&
    name.isWellFormed() &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
    !/[\x00-\x1f\x7f]/.test(name);
  if (!valid) throw scheduleErrors.invalidName(name, limit);
}

function publicCall({ id, name, action, args, runAt, failed, attempt }: OneShot): ScheduledCall {
  return {
    id,
    action,
    args: args.map((value) => cloneValue(value)),
    runAt,
    ...(name === undefined ? {} : { name }),
    ...(failed === undefined ? {} : { failed: { ...failed, attempts: attempt } }),
  };
}
