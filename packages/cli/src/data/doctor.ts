/**
 * `troupe doctor DATA`: what is wrong with a data folder, or a backup, that no process has. It writes nothing there; with
 * `--salvage` it makes a new folder of all that can be read.
 */
import { resolve } from "node:path";
import { examineData, nodeEnv, type SalvagedData, salvageData } from "@troupe/runtime";
import type { DoctorTerminal } from "../doctor/command.ts";
import { linesOf } from "../doctor/finding-lines.ts";
import { optionErrors } from "../errors.ts";

/** As typed. */
export interface DataDoctorFlags {
  /** The new folder. */
  readonly salvage?: string;
  readonly json?: boolean;
}

/** Says what it found; fails when there is a problem. Throws `config.usage`, `backup.*`, `storage.*`. */
export async function runDataDoctor(
  data: string | undefined,
  flags: DataDoctorFlags,
  terminal: DoctorTerminal,
): Promise<void> {
  if (data === undefined)
    throw optionErrors.usage("--salvage needs a data folder: troupe doctor DATA --salvage TO");
  const dataDir = resolve(terminal.cwd, data);
  if (flags.salvage !== undefined)
    return await salvage(dataDir, resolve(terminal.cwd, flags.salvage), flags, terminal);
  const findings = await examineData(dataDir);
  const ok = findings.every(({ level }) => level !== "problem");
  const verdict = ok ? "Nothing is wrong with the data." : "Something is wrong with the data.";
  terminal.out(
    flags.json ? `${JSON.stringify({ ok, findings })}\n` : `${[...linesOf(findings), verdict].join("\n")}\n`,
  );
  if (!ok) terminal.fail();
}

async function salvage(
  dataDir: string,
  to: string,
  { json }: DataDoctorFlags,
  terminal: DoctorTerminal,
): Promise<void> {
  const salvaged = await salvageData({ env: nodeEnv(), dataDir, to });
  terminal.out(json ? `${JSON.stringify(salvaged)}\n` : described(salvaged));
}

/** A list that nobody would read to its end isn't shown whole. */
const MOST_SHOWN = 20;

function described({ path, shards, files }: SalvagedData): string {
  const damaged = shards.flatMap((shard) => shard.damaged);
  const lines = [
    ...shards.map(
      ({ shard, whole, damaged: { length } }) => `${shard}: ${whole} actors are whole, ${length} are not`,
    ),
    ...damaged
      .slice(0, MOST_SHOWN)
      .map(({ name, key, id, lost }) => `  ${name} ${key} (${id}): ${lost.join(", ")}`),
    ...(damaged.length > MOST_SHOWN ? [`  and ${damaged.length - MOST_SHOWN} more`] : []),
    ...Object.entries(files).map(([name, wrong]) => `actors/${name}: ${wrong}`),
    `Salvaged to ${path}; what is not whole stands in its salvage.json, and calls to that fail with storage.corrupt`,
  ];
  return `${lines.join("\n")}\n`;
}
