/** askForBackup: the other end of a running server's backup door. */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { TroupeError } from "@troupe/base";
import { backupErrors } from "../backup-errors.ts";
import type { BackupProgress, BackupSummary } from "../ports/backup.ts";
import { type BackupReply, type BackupRequest, DOOR_FILE } from "./backup-door.ts";
import { DataLock } from "./sqlite/data-lock.ts";

/** What to ask for, and of whom. */
export interface BackupQuestionOptions {
  readonly dataDir: string;
  readonly to: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/**
 * Asks the process that has the folder; undefined when none has. Rejects with what it answers, `backup.no_server`,
 * `backup.server_lost` and the signal's reason.
 */
export async function askForBackup(options: BackupQuestionOptions): Promise<BackupSummary | undefined> {
  const { dataDir, to, signal } = options;
  if (!DataLock.isHeld(dataDir)) return undefined;
  const socket = await connected(dataDir);
  if (socket === undefined) throw backupErrors.noServer(DataLock.owner(dataDir));
  const hangUp = (): void => void socket.destroy();
  signal?.addEventListener("abort", hangUp);
  try {
    const request: BackupRequest = { ask: "backup", to: resolve(to) };
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const line of createInterface({ input: socket })) {
      const reply = JSON.parse(line) as BackupReply;
      if (reply.kind === "progress") options.onProgress?.(reply.progress);
      else if (reply.kind === "done") return reply.summary;
      else throw revived(reply.error);
    }
    signal?.throwIfAborted();
    throw backupErrors.serverLost();
  } finally {
    signal?.removeEventListener("abort", hangUp);
    socket.destroy();
  }
}

async function connected(dataDir: string): Promise<Socket | undefined> {
  const path = socketOf(dataDir);
  if (path === undefined) return undefined;
  const socket = connect(path);
  return await new Promise((resolve) => {
    socket.once("connect", () => resolve(socket));
    // One that fails later ends the lines.
    socket.on("error", () => resolve(undefined));
  });
}

function socketOf(dataDir: string): string | undefined {
  try {
    const door: unknown = JSON.parse(readFileSync(join(dataDir, DOOR_FILE), "utf8"));
    if (typeof door !== "object" || door === null || !("socket" in door)) return undefined;
    return typeof door.socket === "string" ? door.socket : undefined;
  } catch {
    return undefined;
  }
}

function revived({
  group,
  code,
  message,
  metadata,
}: (BackupReply & { kind: "error" })["error"]): TroupeError {
  return new TroupeError(group, code, message, { statusCode: 500, ...(metadata && { metadata }) });
}
