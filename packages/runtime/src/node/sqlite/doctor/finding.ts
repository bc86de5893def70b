/** Finding: one thing of a data folder that was looked at, how it is, and what to do. For programs: every key is always there. */
export interface DataFinding {
  /** What was looked at: `lock`, `manifest`, `shard-00.db`, `actors`, `actors/ID.db`, `logs`, `room`, `descriptors`, `backup`. */
  readonly check: string;
  /** A problem fails calls, or a start; a warning is worth a look. */
  readonly level: "ok" | "warning" | "problem";
  readonly message: string;
  /** What to do; null where nothing is wrong. */
  readonly mend: string | null;
}

/** Nothing is wrong. */
export function fine(check: string, message: string): DataFinding {
  return { check, level: "ok", message, mend: null };
}

/** Something to look at. */
export function warning(check: string, message: string, mend: string): DataFinding {
  return { check, level: "warning", message, mend };
}

/** Something is wrong. */
export function problem(check: string, message: string, mend: string): DataFinding {
  return { check, level: "problem", message, mend };
}
