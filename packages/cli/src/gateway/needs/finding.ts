/** Finding: one thing that the doctor looked at, how it is, and how to mend it. */

/** A problem keeps a gateway from starting or an agent from being guarded; a warning is worth a look. */
export type Level = "ok" | "warning" | "problem";

/** For programs: every key is always there. */
export interface Finding {
  /** What was looked at: `node`, `config`, `bind`, `upstream anthropic`, `key anthropic`, `plugin no-rm`, `agent claude`. */
  readonly check: string;
  readonly level: Level;
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

const marks = { ok: "✓", warning: "!", problem: "✗" };

/** For people. */
export function linesOf(findings: readonly Finding[]): readonly string[] {
  return findings.flatMap(({ check, level, message, mend }) => [
    `${marks[level]} ${check}: ${message}`,
    ...(mend === null ? [] : [`    ${mend}`]),
  ]);
}
