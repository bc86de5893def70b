/** Agents in the PATH, and whether `troupe run` knows how to tell them. */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { presetNames } from "../run/agents.ts";
import { type Finding, fine, warning } from "./finding.ts";

/** Programs that people run as agents and that only get the variables of their SDKs. */
const others = ["aider", "goose", "crush", "qwen", "amp"];

/** Each agent that is there; one finding that none is. */
export async function checkAgents(path: string): Promise<readonly Finding[]> {
  const known = presetNames();
  const findings: Finding[] = [];
  for (const name of [...known, ...others]) {
    const place = await find(name, path);
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

async function find(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((part) => part !== "")) {
    const place = join(folder, name);
    const runs = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return place;
  }
  return undefined;
}
