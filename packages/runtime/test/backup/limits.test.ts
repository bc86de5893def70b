/** What bounds a backup: how often a busy file is asked for, how long a list may be, and a message to the server. */
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { actor, db, restoreFolder, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { DOOR_FILE } from "../../src/node/backup-door.ts";
import { backupLimits } from "../../src/node/sqlite/backup/limits.ts";
import { untrusted } from "../driver/carried.ts";
import { Latch } from "../driver/watch.ts";
import { temporaryDirectory, testEnv } from "../storage/test-env.ts";
import { use } from "./bank.ts";

/** The limits are these until the end of the scope. */
function limited(changes: Partial<typeof backupLimits>): Disposable {
  const kept = { ...backupLimits };
  Object.assign(backupLimits, changes);
  return { [Symbol.dispose]: () => void Object.assign(backupLimits, kept) };
}

test("a file whose actor is in a transaction is asked for so often, and no oftener; and again until it is free", async () => {
  using directory = temporaryDirectory();
  const [begun, free] = [new Latch(), new Latch()];
  const desk = actor({
    db: db({ migrations: ["CREATE TABLE notes (text TEXT)"] }),
    actions: {
      hold: (c) =>
        c.db.transaction(async (tx) => {
          await tx.execute("INSERT INTO notes VALUES ('one')");
          begun.open();
          await free.promise;
        }),
    },
  });
  const registry = setup({ use: untrusted({ desk }, 60_000) });
  await registry.start({
    port: 0,
    dataDir: join(directory.path, "data"),
    signals: false,
    banner: false,
  });
  const holding = (await registry.client()).desk.getOrCreate("a").hold();
  await begun.promise;
  {
    using _few = limited({ fileTries: 3, fileTryMs: 1 });
    await expect(registry.backup(join(directory.path, "busy"))).rejects.toMatchObject({
      group: "backup",
      code: "file_busy",
    });
    expect(readdirSync(directory.path)).toEqual(["data"]);
  }
  {
    using _many = limited({ fileTries: Infinity, fileTryMs: 1 });
    const backup = registry.backup(join(directory.path, "backup"));
    free.open();
    await holding;
    expect((await backup).files).toBeGreaterThan(1);
  }
  await registry.stop();
});

test("a list that is longer than the limit isn't read", async () => {
  using directory = temporaryDirectory();
  const [data, from] = [join(directory.path, "data"), join(directory.path, "backup")];
  const registry = setup({ use });
  await registry.start({ port: 0, dataDir: data, signals: false, banner: false });
  await registry.backup(from);
  await registry.stop();
  const bytes = statSync(join(from, "backup.json")).size;
  const restore = (name: string) =>
    restoreFolder({ env: testEnv(), from, dataDir: join(directory.path, name) });
  {
    using _short = limited({ listBytes: bytes - 1 });
    await expect(restore("refused")).rejects.toMatchObject({
      code: "not_a_backup",
      message: expect.stringContaining("too long"),
    });
    expect(existsSync(join(directory.path, "refused"))).toBe(false);
  }
  using _enough = limited({ listBytes: bytes });
  expect((await restore("restored")).files).toBeGreaterThan(0);
});

test("a message to the server that doesn't end is heard so far, and then hung up on; the next one is served", async () => {
  using directory = temporaryDirectory();
  const data = join(directory.path, "data");
  const registry = setup({ use });
  await registry.start({ port: 0, dataDir: data, signals: false, banner: false });
  const { socket: path } = JSON.parse(readFileSync(join(data, DOOR_FILE), "utf8"));
  const endless = connect(path);
  const ended = once(endless.resume(), "end");
  endless.write("x".repeat(backupLimits.messageBytes + 1));
  await ended;
  endless.destroy();
  const target = join(directory.path, "asked");
  const asking = connect(path);
  const said = asking.setEncoding("utf8").toArray();
  const request = JSON.stringify({ ask: "backup", to: target });
  asking.write(`${request.padEnd(backupLimits.messageBytes - 1)}\n`);
  expect((await said).join("")).toContain(`"kind":"done"`);
  expect(existsSync(target)).toBe(true);
  await registry.stop();
});
