/**
 * A process that uses up its descriptors, and then asks for syncs: `node … no-descriptors-child.ts <dir> <when>`. `when`: `first` before
 * any thread was started, `later` when there is one. Prints how many jobs were synced, and what the others came to.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SyncThreads } from "../../src/node/sqlite/own/sync-threads.ts";

const [, , directory = "", when = "first"] = process.argv;
const threads = new SyncThreads(directory);
const fd = openSync(join(directory, "log"), "w+");
writeSync(fd, Buffer.alloc(10));
const sync = (end = 10): Promise<void> => threads.sync({ kind: "log", fd, end });
const taken: number[] = [];

function takeAll(): void {
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // There are no more.
  }
}

async function crowd(): Promise<string> {
  const jobs = [...Array.from({ length: 200 }, () => sync()), sync(11), threads.syncDirectory()];
  const results = await Promise.allSettled(jobs);
  const failed = results.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
  return `${results.length - failed.length} synced, then: ${failed.join(", ")}`;
}

if (when === "later") await sync();
takeAll();
process.stdout.write(`${await crowd()}\n`);
for (const one of taken) closeSync(one);
process.stdout.write(`${await crowd()}\n`);
await threads.stop();
