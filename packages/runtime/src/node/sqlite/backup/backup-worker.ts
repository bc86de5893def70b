/**
 * The backup thread: copies databases on connections of its own, and reads what it has copied. See `backup-thread.ts`. It
 * imports nothing that needs the package's own resolution: it is started by URL.
 */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { type Database, openDatabase } from "../sqlite.ts";
import type {
  BackupFailure,
  BackupQuestion,
  BackupValues,
  FromBackupThread,
  SealedFile,
  ToBackupThread,
} from "./backup-messages.ts";
import { CopyEnded, copyDatabase } from "./copy-database.ts";

const READ_BYTES = 1024 * 1024;
const BUSY_TIMEOUT_MS = 5_000;

let ended = false;

function say(saying: FromBackupThread): void {
  parentPort?.postMessage(saying);
}

function step(bytes: number): void {
  if (ended) throw new CopyEnded("ended", "the backup was ended");
  say({ kind: "progress", bytes });
}

function within<Result>(path: string, work: (database: Database) => Result): Result {
  const database = openDatabase(path, { timeoutMs: BUSY_TIMEOUT_MS });
  try {
    database.exec("PRAGMA wal_autocheckpoint = 0");
    return work(database);
  } finally {
    database.close();
  }
}

function look(shard: string, actorIds: readonly string[]): readonly string[] {
  return within(shard, (database) => {
    const living = database.prepare("SELECT number FROM actors WHERE id = ? AND destroyed_at IS NULL");
    return actorIds.filter((id) => living.get(id) !== undefined);
  });
}

function withFile(shard: string): readonly string[] {
  return within(shard, (database) => {
    const columns = database.prepare("PRAGMA table_info(actors)").all();
    // Rows of before it was kept don't say.
    if (!columns.some(({ name }) => name === "own_file")) return [];
    const marked = "SELECT id FROM actors WHERE own_file IS NOT NULL AND destroyed_at IS NULL";
    return database
      .prepare(marked)
      .all()
      .map(({ id }) => String(id));
  });
}

function mend({ shard, alarms, gone }: BackupQuestion & { kind: "mend" }): undefined {
  within(shard, (database) => {
    const alarm = database.prepare("UPDATE actors SET alarm = ? WHERE id = ? AND destroyed_at IS NULL");
    const destroy = database.prepare(
      "UPDATE actors SET destroyed_at = created_at, alarm = NULL WHERE id = ?",
    );
    database.exec("BEGIN IMMEDIATE");
    for (const [id, at] of alarms) alarm.run(at, id);
    for (const id of gone) destroy.run(id);
    database.exec("COMMIT");
  });
  return undefined;
}

function seal(path: string): SealedFile {
  const fd = openSync(path, "r+");
  try {
    fsyncSync(fd);
    const hash = createHash("sha256");
    const buffer = new Uint8Array(READ_BYTES);
    let bytes = 0;
    for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, read));
      bytes += read;
    }
    return { bytes, digest: hash.digest("hex") };
  } finally {
    closeSync(fd);
  }
}

async function answer(question: BackupQuestion): Promise<BackupValues[BackupQuestion["kind"]]> {
  switch (question.kind) {
    case "copy":
      return await copyDatabase({ ...question, step });
    case "look":
      return look(question.shard, question.actorIds);
    case "with-file":
      return withFile(question.shard);
    case "mend":
      return mend(question);
    case "seal":
      return seal(question.path);
  }
}

function failureOf(error: unknown): BackupFailure {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    message: error.message,
    ...(error instanceof CopyEnded && { why: error.why }),
    ...("code" in error && typeof error.code === "string" && { code: error.code }),
    ...("errcode" in error && typeof error.errcode === "number" && { errcode: error.errcode }),
  };
}

parentPort?.on("message", (message: ToBackupThread) => {
  if (message.kind === "end") {
    ended = true;
    return;
  }
  const { id, question } = message;
  answer(question).then(
    (value) => say({ kind: "answer", id, value }),
    (error: unknown) => say({ kind: "failure", id, failure: failureOf(error) }),
  );
});
