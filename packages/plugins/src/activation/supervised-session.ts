/**
 * Supervised session: a plugin's session that is opened anew when its process is gone.
 *
 *   active ── the process ends ──▶ restarting ── after a while ──▶ active
 *     │                                 └── it ended too often, or isn't one that can be started again ──▶ lost
 *     └───────────────── close(), from any of them ─────────────────▶ closed
 *
 * Each new start waits twice as long as the one before, and ends are counted in a window: a plugin that crashes at once
 * costs little and then nothing. An end while actors start isn't counted: it is theirs, and no reason to take the plugin from its other
 * actors. Of several that start nobody knows whose it is, so that the next session has them one by one. Between two sessions a call gets the error that ended the last one: guardrails stay shut.
 * A start that is under way when it is closed is waited for, and closed.
 */

import type { Logger, TimerHandle } from "@troupe/base";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { CloseReport } from "../carrier.ts";
import { pluginErrors } from "../errors.ts";
import { CallCounts } from "../session/call-counts.ts";
import type { EndedStarts } from "../session/lines.ts";
import type { PluginSession, SessionEnv } from "../session/session.ts";

/** How a supervised session is. */
export type SupervisedState = "active" | "restarting" | "lost";

/** What a supervised session is made of. */
export interface Supervision {
  readonly env: SessionEnv;
  /** Opens one more session of the plugin, which declares what the first did. Undefined: there is only one. */
  readonly reopen: ((oneByOne: boolean) => Promise<PluginSession>) | undefined;
}

/** One plugin's sessions, one after the other. */
export class SupervisedSession {
  readonly #supervision: Supervision;
  readonly #windows = new Set<TimerHandle>();
  #current: PluginSession;
  #state: SupervisedState = "active";
  #error: TroupeError | undefined;
  /** Sessions before this one whose plugin is still being ended: it may hang, and is waited for at the end. */
  readonly #leaving = new Set<Promise<CloseReport>>();
  /** Of the sessions before this one. */
  readonly #before = new CallCounts();
  #restarts = 0;
  #crashes = 0;
  #wait: TimerHandle | undefined;
  #opening: Promise<void> | undefined;
  #closed = false;

  constructor(first: PluginSession, supervision: Supervision) {
    this.#current = first;
    this.#supervision = supervision;
    this.#watch(first);
  }

  /** The one that calls go to; what it says is why there is none. */
  get current(): PluginSession {
    return this.#current;
  }

  get state(): SupervisedState {
    return this.#state;
  }

  /** Why there is none, or was none the last time. */
  get error(): TroupeError | undefined {
    return this.#error;
  }

  /** Of all its sessions. */
  get counts(): CallCounts {
    const all = new CallCounts();
    all.add(this.#before);
    all.add(this.#current.counts);
    return all;
  }

  /** How often it ended before it was asked to, starts that failed among them. */
  get crashes(): number {
    return this.#crashes;
  }

  /** How often it was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Ends the plugin, and doesn't start it again. */
  async close(): Promise<CloseReport> {
    this.#closed = true;
    const { timers } = this.#supervision.env;
    if (this.#wait !== undefined) timers.clear(this.#wait);
    for (const timer of this.#windows) timers.clear(timer);
    await this.#opening;
    const reports = await Promise.all([this.#current.close(), ...this.#leaving]);
    return { clean: reports.every(({ clean }) => clean) };
  }

  get #log(): Logger {
    return this.#supervision.env.log.child({ plugin: this.#current.declared.name });
  }

  #watch(session: PluginSession): void {
    void session.ended.then((error) => {
      if (error !== undefined && !this.#closed) this.#ended(error, session.endedStarts);
    });
  }

  #ended(error: TroupeError, starts: EndedStarts = "none"): void {
    const { env, reopen } = this.#supervision;
    this.#error = error;
    this.#crashes += 1;
    const isCounted = starts === "none";
    if (reopen === undefined || (isCounted && this.#windows.size >= limits.pluginCrashes)) {
      this.#state = "lost";
      this.#log.error("The plugin is lost: it isn't started again", { error });
      return;
    }
    this.#state = "restarting";
    const delayMs = Math.min(limits.pluginRestartMs * 2 ** this.#windows.size, limits.pluginRestartMostMs);
    if (isCounted) this.#count();
    this.#wait = env.timers.set(
      () => {
        this.#opening = this.#open(() => reopen(starts === "several"));
      },
      delayMs,
      { background: true },
    );
  }

  #count(): void {
    const counted: TimerHandle = this.#supervision.env.timers.set(
      () => this.#windows.delete(counted),
      limits.pluginCrashWindowMs,
      { background: true },
    );
    this.#windows.add(counted);
  }

  async #open(reopen: () => Promise<PluginSession>): Promise<void> {
    try {
      const session = await reopen();
      this.#before.add(this.#current.counts);
      this.#leave(this.#current);
      this.#restarts += 1;
      this.#current = session;
      this.#state = "active";
      this.#log.warn("The plugin was started again", { crashes: this.#crashes });
      this.#watch(session);
    } catch (cause) {
      if (this.#closed) return;
      const error = TroupeError.is(cause) ? cause : pluginErrors.ended(cause);
      this.#log.warn("The plugin couldn't be started again", { crashes: this.#crashes, error });
      this.#ended(error);
    }
  }

  #leave(session: PluginSession): void {
    const left = session.close();
    this.#leaving.add(left);
    void left.then(() => this.#leaving.delete(left));
  }
}
