import type { Env, TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { Session } from "./services.ts";

/** Ends sockets that have been silent for two heartbeats. Looks at each heartbeat, as long as there are any. */
export class SilenceWatch {
  readonly #env: Pick<Env, "clock" | "timers">;
  readonly #sessions: ReadonlySet<Session>;
  #timer: TimerHandle | undefined;

  constructor(env: Pick<Env, "clock" | "timers">, sessions: ReadonlySet<Session>) {
    this.#env = env;
    this.#sessions = sessions;
  }

  /** A session has begun. */
  begun(): void {
    this.#timer ??= this.#env.timers.set(this.#look, limits.heartbeatMs, { background: true });
  }

  close(): void {
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const silentSince = this.#env.clock.monotonic() - 2 * limits.heartbeatMs;
    for (const session of this.#sessions) {
      if (session.heardAt < silentSince) session.silent();
      else session.ask?.();
    }
    if (this.#sessions.size > 0) this.begun();
  };
}
