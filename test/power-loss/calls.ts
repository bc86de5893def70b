/**
 * Calls of node:fs for the shim to see, then `done`, then waits to be killed.
 *
 *   node calls.ts all | failed-sync | read   DIRECTORY
 */
import * as fs from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

const [mode, directory = ""] = process.argv.slice(2);
const at = (name: string) => join(directory, name);

function withFile(name: string, flags: string, act: (fd: number) => void): void {
  const fd = fs.openSync(at(name), flags);
  try {
    act(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function syncDirectory(name: string): void {
  withFile(name, "r", (fd) => fs.fsyncSync(fd));
}

/** What a cut must leave: two files in a directory of which everything was synced. */
function synced(): void {
  fs.mkdirSync(at("synced"));
  syncDirectory(".");
  withFile("synced/whole", "w", (fd) => {
    fs.writevSync(fd, [Buffer.from("dura"), Buffer.from("ble")], 0);
    fs.fsyncSync(fd);
    fs.writeSync(fd, " and more", 7);
  });
  withFile("synced/first", "w", (fd) => {
    fs.writeSync(fd, "moved away");
    fs.ftruncateSync(fd, 5);
    fs.fdatasyncSync(fd);
  });
  fs.renameSync(at("synced/first"), at("synced/renamed"));
  syncDirectory("synced");
}

async function unsynced(): Promise<void> {
  fs.writeFileSync(at("a"), "0123456789".repeat(20_000));
  fs.appendFileSync(at("a"), "end");
  fs.copyFileSync(at("a"), at("copy"));
  fs.cpSync(at("a"), at("second-copy"));
  fs.truncateSync(at("copy"), 100_000);
  fs.linkSync(at("a"), at("linked"));
  fs.writeFileSync(at("linked"), "through the other name");
  withFile("a", "r+", (fd) => {
    fs.writeSync(fd, Buffer.from("in the middle"), 0, 13, 5_000);
    fs.writevSync(
      fd,
      Array.from({ length: 1500 }, (_, n) => Buffer.from(`${n},`)),
    );
  });
  withFile("b", "a", (fd) => {
    fs.writeSync(fd, "one");
    fs.writeSync(fd, Buffer.from("two"), 0, 3, 0);
  });
  const handle = await open(at("c"), "wx+");
  await Promise.all(Array.from({ length: 50 }, (_, n) => handle.write(`${n};`, n * 3)));
  await handle.close();
  fs.mkdirSync(at("d/e"), { recursive: true });
  fs.writeFileSync(at("d/e/f"), "deep");
  fs.renameSync(at("d/e/f"), at("d/g"));
  fs.rmSync(at("d/e"), { recursive: true });
  fs.unlinkSync(at("b"));
  fs.renameSync(at("copy"), at("c"));
  const stream = fs.createWriteStream(at("stream"));
  await new Promise<void>((resolve) => stream.end("streamed", () => resolve()));
}

/** The second sync fails by a fault, the third does not. */
function failedSync(): void {
  try {
    withFile("file", "w", (fd) => {
      syncDirectory(".");
      for (const text of ["first.", "second.", "third."]) {
        fs.writeSync(fd, text);
        try {
          fs.fdatasyncSync(fd);
        } catch (error) {
          console.log(`error ${(error as NodeJS.ErrnoException).code}`);
        }
      }
    });
  } catch (error) {
    console.log(`error ${(error as NodeJS.ErrnoException).code}`);
  }
}

if (mode === "failed-sync") failedSync();
if (mode === "all") {
  synced();
  await unsynced();
}
console.log("done");
setInterval(() => undefined, 60_000);
