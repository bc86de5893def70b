/**
 * CallCounts: how often a plugin was asked for something, by middleware's calls and actors' actions, and how often that failed:
 * with an error of the plugin's, with a time that was over, or with the end of its session.
 */
export class CallCounts {
  calls = 0;
  failures = 0;

  /** Those of a session that is over. */
  add({ calls, failures }: Readonly<Pick<CallCounts, "calls" | "failures">>): void {
    this.calls += calls;
    this.failures += failures;
  }
}
