/**
 * The checkpoint thread: moves pages from the logs into the databases, on connections of its own. See
 * `checkpoint-thread.ts`. It imports nothing that needs the package's own resolution: it is started by URL.
 */
import { parentPort } from "node:worker_threads";
import type { CheckpointAnswer, CheckpointRequest, CheckpointResult } from "./checkpoint-messages.ts";
import { type Database, openDatabase } from "./sqlite.ts";

const connections = new Map<string, Database>();

function connection(path: string): Database {
  const known = connections.get(path);
  if (known !== undefined) return known;
  const database = openDatabase(path, { timeoutMs: 100 });
  // NORMAL syncs the log before and the database after the pages were moved; OFF would lose data in a power cut.
  database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0");
  connections.set(path, database);
  return database;
}

function checkpoint(database: Database, mode: "PASSIVE" | "TRUNCATE"): CheckpointResult {
  const row = database.prepare(`PRAGMA wal_checkpoint(${mode})`).get();
  return { frames: Number(row?.["log"] ?? 0), checkpointed: Number(row?.["checkpointed"] ?? 0) };
}

function serve(request: CheckpointRequest): CheckpointResult {
  // The path may name somebody else's file by now, or none: it is not for us to open.
  if (request.kind === "forget" && !connections.has(request.path)) return { frames: 0, checkpointed: 0 };
  const database = connection(request.path);
  let result: CheckpointResult = { frames: 0, checkpointed: 0 };
  try {
    if (request.kind === "passive") result = checkpoint(database, "PASSIVE");
    else if (request.kind !== "forget") result = checkpoint(database, "TRUNCATE");
  } finally {
    if (request.kind === "close" || request.kind === "forget") {
      connections.delete(request.path);
      database.close();
    }
  }
  return result;
}

function answer(request: CheckpointRequest): CheckpointAnswer {
  try {
    return { id: request.id, result: serve(request) };
  } catch (error) {
    return { id: request.id, error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on("message", (request: CheckpointRequest) => parentPort?.postMessage(answer(request)));
