/**
 * `troupe doctor DATA`: what is wrong with a data folder, or a backup, that no process has. It writes nothing there; with
 * `--salvage` it makes a new folder of all that can be read, and with `--give-up` it ends an actor whose file is lost.
 */
import { resolve } from "node:path";
import { examineData, giveUpLost, type LostActor, type SalvagedData, salvageData } from "@troupe/runtime";
import { nodeEnv } from "@troupe/runtime/process";
import { confirmed } from "../confirmed.ts";
import type { DoctorTerminal } from "../doctor/command.ts";
import { linesOf } from "../doctor/finding-lines.ts";
import { optionErrors } from "../errors.ts";

/** The exit code of `EX_TEMPFAIL`: ask again when the folder is free. */
const IN_USE = 75;

/** As typed. */
export interface DataDoctorFlags {
  /** The new folder. */
  readonly salvage?: string;
  /** The id of an actor whose file is lost. */
  readonly giveUp?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Says what it found; fails when there is a problem. Throws `config.usage`, `backup.*`, `storage.*`. */
export async function runDataDoctor(
  data: string | undefined,
  flags: DataDoctorFlags,
  terminal: DoctorTerminal,
): Promise<void> {
  const { giveUp } = flags;
  if (data === undefined)
    throw optionErrors.usage(
      giveUp === undefined
        ? "--salvage needs a data folder: troupe doctor DATA --salvage TO"
        : "--give-up needs a data folder: troupe doctor DATA --give-up ID",
    );
  const dataDir = resolve(terminal.cwd, data);
  if (flags.salvage !== undefined)
    return await salvage(dataDir, resolve(terminal.cwd, flags.salvage), flags, terminal);
  if (giveUp !== undefined) return await giveUpActor(dataDir, giveUp, flags, terminal);
  const findings = await examineData(dataDir);
  const sound = findings.every(({ level }) => level !== "problem");
  // Nobody reads the files of a server that runs: what isn't known must not pass for good.
  const checked = findings.every(({ check, level }) => check !== "lock" || level === "ok");
  const found = checked ? "Nothing is wrong with the data." : "The data was not checked: a process has it.";
  const verdict = sound ? found : "Something is wrong with the data.";
  const ok = sound && checked;
  terminal.out(
    flags.json
      ? `${JSON.stringify({ ok, checked, findings })}\n`
      : `${[...linesOf(findings), verdict].join("\n")}\n`,
  );
  if (!ok) terminal.fail(sound ? IN_USE : 1);
}

async function giveUpActor(
  dataDir: string,
  id: string,
  { yes, json }: DataDoctorFlags,
  terminal: DoctorTerminal,
): Promise<void> {
  const lost = await giveUpLost({
    dataDir,
    id,
    confirm: (lost) =>
      confirmed(
        `Giving up ${nameOf(lost)}, made ${new Date(lost.createdAt).toISOString()}, whose state, keys, queues, schedules and tables were in ${lost.path},`,
        { yes, terminal },
      ),
  });
  terminal.out(
    json
      ? `${JSON.stringify({ givenUp: lost })}\n`
      : `${nameOf(lost)} is given up: its address is free again, and whoever asks for it by its id is told that it isn't there\n`,
  );
}

function nameOf({ name, key, id }: LostActor): string {
  return `${name} ${JSON.stringify(key)} (${id})`;
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
