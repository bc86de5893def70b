/** Findings, as lines for people. */
import type { Finding } from "@troupe/base";

const marks = { ok: "✓", warning: "!", problem: "✗" };

/** For people. */
export function linesOf(findings: readonly Finding[]): readonly string[] {
  return findings.flatMap(({ check, level, message, mend }) => [
    `${marks[level]} ${check}: ${message}`,
    ...(mend === null ? [] : [`    ${mend}`]),
  ]);
}
