import type { BackoffPolicy } from "../backoff.ts";

/** How a connection comes back. Times in milliseconds. */
export interface ReconnectPolicy extends BackoffPolicy {
  /** An attempt whose link isn't open by then is given up. */
  readonly openTimeoutMs: number;
  /** A link on which the actor hasn't answered the hello by then is given up. Waking an actor may take a while. */
  readonly welcomeTimeoutMs: number;
  /**
   * A call that has waited so long for a link, and names no time of its own, fails with `client.not_sent`; one that went out on
   * an earlier link with `client.outcome_unknown`. Infinity: it waits until the connection is back or disposed of.
   */
  readonly sendTimeoutMs: number;
}
