/**
 * `troupe backup` and `troupe restore`: a data folder's copy, and a data folder of a copy.
 *
 * A folder that a server has is copied by that server, which is asked by its socket; one that nobody has is copied here, and
 * locked meanwhile. Asked to end, a backup ends, and leaves nothing.
 */
import { resolve } from "node:path";
import { askForBackup, type BackupProgress, backupFolder, restoreFolder } from "@troupe/runtime";
import { nodeEnv } from "@troupe/runtime/process";
import type { Terminal } from "../gateway/command.ts";
import { dataErrors } from "./errors.ts";

/** As typed. */
export interface DataFlags {
  readonly json?: boolean;
}

/** How often it says how far it is, to people. */
const SAY_MS = 2_000;
const MIB = 1024 * 1024;

/** Runs `troupe backup`. Throws `backup.*`, `storage.*`. */
export async function runBackup(
  data: string,
  to: string,
  flags: DataFlags,
  terminal: Terminal,
): Promise<void> {
  const ending = new AbortController();
  void terminal.asked().then((signal) => ending.abort(dataErrors.ended(signal)));
  const options = {
    dataDir: resolve(terminal.cwd, data),
    to: resolve(terminal.cwd, to),
    signal: ending.signal,
    onProgress: progressTo(terminal),
  };
  const summary = (await askForBackup(options)) ?? (await backupFolder({ ...options, env: nodeEnv() }));
  const { path, files, bytes } = summary;
  terminal.out(flags.json ? `${JSON.stringify(summary)}\n` : `Backed up ${sized(files, bytes)} to ${path}\n`);
}

/** Runs `troupe restore`. Throws `backup.*`, `storage.*`. */
export async function runRestore(
  from: string,
  data: string,
  flags: DataFlags,
  terminal: Terminal,
): Promise<void> {
  const summary = await restoreFolder({
    env: nodeEnv(),
    from: resolve(terminal.cwd, from),
    dataDir: resolve(terminal.cwd, data),
    onProgress: progressTo(terminal),
  });
  const { path, files, bytes, endedAt } = summary;
  const as = new Date(endedAt).toISOString();
  terminal.out(
    flags.json
      ? `${JSON.stringify(summary)}\n`
      : `Restored ${sized(files, bytes)} to ${path}: data as of ${as}\n`,
  );
}

function progressTo({ err }: Terminal): (progress: BackupProgress) => void {
  let next = performance.now() + SAY_MS;
  return ({ files, bytes }) => {
    if (performance.now() < next) return;
    next = performance.now() + SAY_MS;
    err?.(`${sized(files, bytes)} so far\n`);
  };
}

function sized(files: number, bytes: number): string {
  return `${files} files, ${(bytes / MIB).toFixed(1)} MiB`;
}
