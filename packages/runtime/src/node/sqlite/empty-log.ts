import type { Ballast } from "./ballast.ts";
import type { Database } from "./sqlite.ts";

/**
 * Moves all of a log into its database, synced, and cuts it; with the ballast's room when there is no other. False when that
 * wasn't possible: then everything is as it was. Nobody may be writing, syncing or checkpointing.
 */
export function emptyLog(database: Database, ballast: Ballast): boolean {
  if (truncate(database)) return true;
  ballast.drop();
  const isEmpty = truncate(database);
  ballast.load();
  return isEmpty;
}

function truncate(database: Database): boolean {
  try {
    // It syncs what it moved before it cuts the log: `synchronous` is NORMAL at least.
    return database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0;
  } catch {
    return false;
  }
}
