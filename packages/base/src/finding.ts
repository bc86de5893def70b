/** Finding: one thing that a doctor looked at, how it is, and what to do. */

/** A problem keeps something from working; a warning is worth a look. */
export type FindingLevel = "ok" | "warning" | "problem";

/** For programs: every key is always there. */
export interface Finding {
  /** What was looked at, such as `node`, `plugin no-rm`, `shard-00.db`. Whoever looks says which there are. */
  readonly check: string;
  readonly level: FindingLevel;
  readonly message: string;
  /** What to do; null where nothing is wrong. */
  readonly mend: string | null;
}

/** Nothing is wrong. */
export function fine(check: string, message: string): Finding {
  return { check, level: "ok", message, mend: null };
}

/** Something to look at. */
export function warning(check: string, message: string, mend: string): Finding {
  return { check, level: "warning", message, mend };
}

/** Something is wrong. */
export function problem(check: string, message: string, mend: string): Finding {
  return { check, level: "problem", message, mend };
}
