import { spawnSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { MOST_JOBS } from "../../src/node/sqlite/own/sync-cells.ts";
import { SyncThreads } from "../../src/node/sqlite/own/sync-threads.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "troupe-sync-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function start(directory: string, displaced?: (error: Error) => void): SyncThreads {
  const threads = new SyncThreads(directory, displaced);
  onTestFinished(() => threads.stop());
  return threads;
}

function written(path: string, bytes = 10): number {
  const fd = openSync(path, "w+");
  onTestFinished(() => closeSync(fd));
  writeSync(fd, Buffer.alloc(bytes));
  return fd;
}

/** How many threads were started since. */
function startedThreads(): () => number {
  let count = 0;
  const started = () => {
    count += 1;
  };
  subscribe("worker_threads", started);
  onTestFinished(() => void unsubscribe("worker_threads", started));
  return () => count;
}

test("a few that meet, as those of a process's first actors do, are served by one thread; when it happens again and again there are more", async () => {
  const count = startedThreads();
  const directory = folder();
  const threads = start(directory);
  const fd = written(join(directory, "log"));
  const few = () => Promise.all(Array.from({ length: 4 }, () => threads.sync({ kind: "log", fd, end: 10 })));
  for (let n = 0; n < 5; n += 1) await few();
  expect(count()).toBe(1);
  for (let n = 0; count() === 1 && n < 20; n += 1) await few();
  expect(count()).toBe(2);
});

test("what comes one after the other has one thread; a crowd at the start waits for it, and a crowd behind it has more", async () => {
  const count = startedThreads();
  const directory = folder();
  const threads = start(directory);
  const fd = written(join(directory, "log"));
  const sync = () => threads.sync({ kind: "log", fd, end: 10 });
  expect(count()).toBe(0);
  const first = Array.from({ length: 8 }, sync);
  expect(count()).toBe(1);
  await Promise.all(first);
  const before = count();
  for (let n = 0; n < 5; n += 1) await sync();
  expect(count()).toBe(before);
  while (count() < 4) await Promise.all(Array.from({ length: 20 }, sync));
  await Promise.all(Array.from({ length: 100 }, sync));
  expect(count()).toBe(4);
}, 60_000);

test("more than all threads take at once is synced, each job once, the directory's with the others", async () => {
  const directory = folder();
  const threads = start(directory);
  const fd = written(join(directory, "log"));
  const jobs = Array.from({ length: MOST_JOBS * 6 }, () => threads.sync({ kind: "log", fd, end: 10 }));
  await Promise.all([...jobs, threads.syncDirectory(), threads.syncDirectory()]);
});

test("one that means nothing fails alone: its log was cut, deleted, or is no descriptor", async () => {
  const directory = folder();
  const threads = start(directory);
  const whole = written(join(directory, "whole"));
  const cut = written(join(directory, "cut"));
  const gone = written(join(directory, "gone"));
  ftruncateSync(cut, 5);
  unlinkSync(join(directory, "gone"));
  const log = (fd: number) => threads.sync({ kind: "log", fd, end: 10 });
  const results = await Promise.allSettled([log(whole), log(cut), log(gone), log(1_000_000), log(whole)]);
  expect(results.map((result) => (result.status === "rejected" ? String(result.reason) : "synced"))).toEqual([
    "synced",
    "Error: its log was deleted or cut under the process",
    "Error: its log was deleted or cut under the process",
    "Error: a sync failed: EBADF",
    "synced",
  ]);
});

test("entries of another directory that has the name now aren't taken for durable, also with all files back in it", async () => {
  const root = folder();
  const directory = join(root, "actors");
  mkdirSync(directory);
  const said: string[] = [];
  const threads = start(directory, (error) => said.push(error.message));
  await threads.syncDirectory();
  renameSync(directory, join(root, "away"));
  mkdirSync(directory);
  await expect(threads.syncDirectory()).rejects.toThrow("moved or replaced");
  expect(said).toHaveLength(1);
  // The very same directory again: nothing was lost.
  rmdirSync(directory);
  renameSync(join(root, "away"), directory);
  await threads.syncDirectory();
  expect(said).toHaveLength(1);
});

test("when the threads are stopped, what waits is refused, and what comes", async () => {
  const directory = folder();
  const threads = new SyncThreads(directory);
  const fd = written(join(directory, "log"));
  const running = threads.sync({ kind: "log", fd, end: 10 }).then(
    () => "synced",
    (error: Error) => error.message,
  );
  const stopped = threads.stop();
  await expect(threads.sync({ kind: "log", fd, end: 10 })).rejects.toThrow("the sync threads were stopped");
  await stopped;
  // It may have been served before the thread heard of its end; nobody waits for ever.
  expect(["synced", "the sync threads were stopped"]).toContain(await running);
});

test("a thread that can't be started for want of descriptors loses nothing: others sync its part, or whoever asks", (context) => {
  if (process.platform === "win32") return context.skip("Windows has no `ulimit -n`");
  const child = join(import.meta.dirname, "no-descriptors-child.ts");
  for (const when of ["first", "later"]) {
    const node = `exec "${process.execPath}" --conditions=troupe-source "${child}" "${folder()}" ${when}`;
    const { stdout, stderr, status } = spawnSync("/bin/sh", ["-c", `ulimit -n 64; ${node}`], {
      encoding: "utf8",
    });
    const crowd = "201 synced, then: Error: its log was deleted or cut under the process\n";
    expect([when, status, stdout], stderr).toEqual([when, 0, crowd + crowd]);
  }
});
