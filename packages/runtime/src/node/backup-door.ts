/**
 * The backup door: how `troupe backup` asks the process that has a data folder.
 *
 * A Unix socket that only this user can open; `server.json` in the data folder says where it is. One request on a
 * connection, a line of JSON, and lines of JSON back: progress, then the summary or the error. Whoever hangs up ends the
 * backup.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Env, TroupeError } from "@troupe/base";
import { backupErrors } from "../backup-errors.ts";
import type { BackupProgress, BackupSummary, MakeBackup } from "../ports/backup.ts";
import type { LocalSocket } from "../ports/local-sockets.ts";
import { nodeLocalSockets } from "./local-sockets.ts";
import { backupLimits } from "./sqlite/backup/limits.ts";
import { replaceFile } from "./sqlite/files.ts";

/** What is asked. */
export interface BackupRequest {
  readonly ask: "backup";
  /** Absolute. */
  readonly to: string;
}

/** What is answered. */
export type BackupReply =
  | { readonly kind: "progress"; readonly progress: BackupProgress }
  | { readonly kind: "done"; readonly summary: BackupSummary }
  | { readonly kind: "error"; readonly error: Pick<TroupeError, "group" | "code" | "message" | "metadata"> };

/** The file that says where the door is. */
export const DOOR_FILE = "server.json";

const NEWLINE = 10;

/** An open door. Nobody's start depends on it. */
export interface BackupDoor {
  close(): void;
}

/** Opens it. Without one, for want of a place or of sockets, `troupe backup` says that it can't ask. */
export async function openBackupDoor(options: {
  readonly env: Pick<Env, "log">;
  readonly dataDir: string;
  readonly backup: MakeBackup;
}): Promise<BackupDoor> {
  const { env, dataDir, backup } = options;
  const file = join(dataDir, DOOR_FILE);
  try {
    const door = await nodeLocalSockets?.open((socket) => serve(socket, backup));
    if (door === undefined) return { close: () => {} };
    replaceFile(file, `${JSON.stringify({ pid: process.pid, socket: door.path })}\n`);
    return {
      close: () => {
        rmSync(file, { force: true });
        door.close();
      },
    };
  } catch (error) {
    env.log.warn("troupe backup can't ask this process: its socket could not be opened", { error });
    return { close: () => {} };
  }
}

function serve(socket: LocalSocket, backup: MakeBackup): void {
  const gone = new AbortController();
  let heard = new Uint8Array();
  let asked = false;
  socket.attach({
    data: (bytes) => {
      if (asked) return;
      heard = Buffer.concat([heard, bytes]);
      const end = heard.indexOf(NEWLINE);
      if (end < 0 && heard.length <= backupLimits.messageBytes) return;
      asked = true;
      void answer(socket, { line: heard.subarray(0, Math.max(end, 0)), backup, signal: gone.signal });
    },
    closed: () => gone.abort(backupErrors.serverLost()),
  });
}

interface Asked {
  readonly line: Uint8Array;
  readonly backup: MakeBackup;
  readonly signal: AbortSignal;
}

async function answer(socket: LocalSocket, { line, backup, signal }: Asked): Promise<void> {
  const say = (reply: BackupReply): void => socket.write(Buffer.from(`${JSON.stringify(reply)}\n`));
  try {
    const to = targetOf(Buffer.from(line).toString("utf8"));
    if (to === undefined) return;
    const summary = await backup(to, {
      signal,
      onProgress: (progress) => say({ kind: "progress", progress }),
    });
    say({ kind: "done", summary });
  } catch (cause) {
    const { group, code, message, metadata } = TroupeError.is(cause)
      ? cause
      : new TroupeError("backup", "failed", String(cause), { statusCode: 500 });
    say({ kind: "error", error: { group, code, message, metadata } });
  } finally {
    socket.end();
  }
}

function targetOf(text: string): string | undefined {
  try {
    const asked: unknown = JSON.parse(text);
    if (typeof asked !== "object" || asked === null || !("ask" in asked) || !("to" in asked))
      return undefined;
    return asked.ask === "backup" && typeof asked.to === "string" ? asked.to : undefined;
  } catch {
    return undefined;
  }
}
