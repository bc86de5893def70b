/**
 * EngineDialer: a remote host's way to its engine, again and again.
 *
 *   dialing ──link──▶ greeting ──Welcome──▶ taken ──again()──▶ waiting ──▶ dialing
 *      └── failed, or too late ──┘──▶ waiting, longer each time
 *
 * An engine has a limited time from the dial to its Welcome: a machine that swallows packets, or a process that accepts
 * and says nothing, is given up like one that refuses the connection. So is a server that is no engine: a proxy answers so
 * while its engine is deployed anew.
 *
 * The pauses begin anew when a session goes on, or has lasted for a while: an engine that takes a host and gives it up at once,
 * again and again, is asked as seldom as one that isn't there.
 */
import type { Env, TimerHandle, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { Link } from "../ports/transport.ts";
import { GONE } from "./close-codes.ts";
import { remoteErrors } from "./errors.ts";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** What keeps a host from its engine is said when it changes, and again after so long. */
const SAY_AGAIN_MS = 60_000;

/** What a dialer is made of. */
export interface EngineDialerParts {
  readonly env: Env;
  /** Opens a link to the engine. `signal` fires when it took too long. */
  readonly dial: (signal: AbortSignal) => Promise<Link>;
  /** A link is there: the engine is to be greeted. */
  readonly linked: (link: Link) => void;
  /** No Welcome came in time: the link is closed. */
  readonly late: () => void;
}

/** One way to a Welcome. */
interface Attempt {
  readonly abort: AbortController;
  readonly timer: TimerHandle;
  link: Link | undefined;
}

/** Dials one engine. */
export class EngineDialer {
  readonly #parts: EngineDialerParts;
  #retryMs = FIRST_RETRY_MS;
  /** When the session began that the engine took last (monotonic). */
  #takenAt = Infinity;
  #retry: TimerHandle | undefined;
  /** From the dial to the Welcome. */
  #attempt: Attempt | undefined;
  /** What was said last of why there is no engine, and when (monotonic). */
  #said: { readonly why: string; readonly at: number } | undefined;

  constructor(parts: EngineDialerParts) {
    this.#parts = parts;
  }

  /** Dials now. */
  async dial(): Promise<void> {
    const attempt = this.#begin();
    try {
      const link = await this.#parts.dial(attempt.abort.signal);
      if (this.#attempt !== attempt) {
        // It came too late, or the host is closed.
        link.close(1000, "");
        return;
      }
      attempt.link = link;
      this.#parts.linked(link);
    } catch (cause) {
      if (this.#attempt === attempt) this.#failed(cause);
    }
  }

  /** The engine has taken the host: its session goes on, or a new one begins. */
  taken(session: "resumed" | "new"): void {
    this.#end();
    if (session === "resumed") this.#retryMs = FIRST_RETRY_MS;
    else this.#takenAt = this.#parts.env.clock.monotonic();
    this.#said = undefined;
  }

  /** The link is lost: dials again, after a while. */
  again(): void {
    this.#end();
    if (this.#retry !== undefined) return;
    const { env } = this.#parts;
    if (env.clock.monotonic() - this.#takenAt >= LONGEST_RETRY_MS) this.#retryMs = FIRST_RETRY_MS;
    const waitMs = this.#retryMs * (0.5 + env.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    this.#retry = env.timers.set(() => {
      this.#retry = undefined;
      void this.dial();
    }, waitMs);
  }

  /** Dials no more. */
  close(error: TroupeError): void {
    if (this.#retry !== undefined) this.#parts.env.timers.clear(this.#retry);
    this.#retry = undefined;
    this.#attempt?.abort.abort(error);
    this.#end();
  }

  #begin(): Attempt {
    const late = (): void => this.#late();
    const timer = this.#parts.env.timers.set(late, limits.hostDialMs, { background: true });
    this.#attempt = { abort: new AbortController(), timer, link: undefined };
    return this.#attempt;
  }

  #end(): void {
    if (this.#attempt !== undefined) this.#parts.env.timers.clear(this.#attempt.timer);
    this.#attempt = undefined;
  }

  #late(): void {
    const error = remoteErrors.engineTimedOut(limits.hostDialMs);
    this.#attempt?.abort.abort(error);
    const link = this.#attempt?.link;
    this.#parts.late();
    link?.close(GONE, "host.engine_timed_out");
    this.#failed(error);
  }

  #failed(cause: unknown): void {
    const { clock, log } = this.#parts.env;
    const why = cause instanceof Error ? cause.message : String(cause);
    const at = clock.monotonic();
    if (why !== this.#said?.why || at - this.#said.at >= SAY_AGAIN_MS) {
      log.warn("no connection to the engine; trying again until there is one", { why });
      this.#said = { why, at };
    }
    this.again();
  }
}
