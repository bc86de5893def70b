/** Agents in the PATH, and whether `troupe run` knows how to tell them. */

import { type Finding, fine, warning } from "@troupe/base";
import { presetNames } from "../run/agents.ts";
import { findProgram } from "../run/find-program.ts";

/** Programs that people run as agents and that only get the variables of their SDKs. */
const others = ["aider", "goose", "crush", "qwen", "amp"];

/** Each agent that is there; one finding that none is. `search`: as in the variable PATH. */
export async function checkAgents(search: string): Promise<readonly Finding[]> {
  const known = presetNames();
  const findings: Finding[] = [];
  for (const name of [...known, ...others]) {
    const { path: place } = await findProgram(name, { search, cwd: "." });
    if (place === undefined) continue;
    const check = `agent ${name}`;
    if (known.includes(name)) findings.push(fine(check, `${place}; troupe run -- ${name} sets it up`));
    else
      findings.push(
        warning(
          check,
          `${place}; it has no preset`,
          "its model calls are guarded if it reads OPENAI_BASE_URL or ANTHROPIC_BASE_URL; look with --atof",
        ),
      );
  }
  if (findings.length > 0) return findings;
  return [
    warning(
      "agents",
      `none in the PATH of ${known.join(", ")}`,
      "install one, or run another program: troupe run -- program",
    ),
  ];
}
