/** The limits of workflows: a part of `limits.ts`. */
export const workflowLimits = {
  /** Workflows of one actor that go on. */
  workflowsActive: 1_000,
  /** Workflows of one actor that have ended and are kept: past it the oldest goes, with its history. */
  workflowsEnded: 1_000,
  /** Entries of the history of one workflow; a loop's old rounds don't count. */
  workflowEntries: 10_000,
  /** All of them, encoded: they are in memory while the workflow goes on. */
  workflowHistoryBytes: 64 * 1024 * 1024,
  /** One entry, with the result of its step; an input, or an output. */
  workflowValueBytes: 1024 * 1024,
  /** One attempt at a step; its `timeout` overrules it. As the next four: RivetKit's. */
  workflowStepMs: 30_000,
  /** Attempts behind the first; a step's `maxRetries` overrules it. */
  workflowRetries: 3,
  /** The wait before the second attempt; a step's `retryBackoffBase` overrules it. It doubles. */
  workflowRetryMs: 100,
  /** The longest wait before an attempt; a step's `retryBackoffMax` overrules it. */
  workflowRetryLongestMs: 30_000,
  /** After so many rounds of a loop old ones go, and so many are kept; its `historyPruneInterval` overrules it. */
  workflowLoopRounds: 20,
  /** How soon a workflow whose code doesn't fit its history is tried again. */
  workflowDivergedMs: 300_000,
} as const;
