/** Syncs a few hundred times, and leaves the rest to Node: it ends when nothing keeps it. */
import { openSync } from "node:fs";
import { join } from "node:path";
import { SyncThreads } from "../../src/node/sqlite/own/sync-threads.ts";

const directory = process.argv[2] ?? "";
const threads = new SyncThreads(directory);
const fd = openSync(join(directory, "log"), "w+");
for (let n = 0; n < 300; n += 1) await threads.sync({ kind: "log", fd, end: 0 });
process.stdout.write("synced 300\n");
