import { directoryKit } from "../../../../conformance/directory/directory-kit.ts";
import { storageKit } from "../../../../conformance/storage/storage-kit.ts";
import { type Durability, openLocalStore } from "../../src/node/sqlite/open-local-store.ts";
import type { ActorStorage } from "../../src/ports/storage.ts";
import { temporaryDirectory, testEnv } from "./test-env.ts";

/** The same storage, for actors with a database: their rows are in files of their own. */
function withDatabases(storage: ActorStorage): ActorStorage {
  return {
    open: (record, generation) => storage.open(record, generation, { database: true }),
    nextAlarm: () => storage.nextAlarm(),
    dueAlarms: (until, limit) => storage.dueAlarms(until, limit),
    close: () => storage.close(),
  };
}

async function openSubject(
  durability: Durability,
  shards: number,
  rows: "in shards" | "in own files" = "in shards",
) {
  const directory = temporaryDirectory();
  const open = () =>
    openLocalStore({
      env: testEnv(),
      dataDir: directory.path,
      durability,
      shards,
      onFatal: (cause) => {
        throw cause;
      },
    });
  let store = await open();
  return {
    get directory() {
      return store.directory;
    },
    get storage() {
      return rows === "in shards" ? store.storage : withDatabases(store.storage);
    },
    restart: async () => {
      await store.close();
      store = await open();
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      directory[Symbol.dispose]();
    },
  };
}

directoryKit("SQLite", () => openSubject("commit", 1));
directoryKit("SQLite with 3 shards", () => openSubject("commit", 3));
storageKit("SQLite", () => openSubject("commit", 1), { sequences: 12 });
storageKit("SQLite with 3 shards, interval", () => openSubject("interval", 3), { sequences: 3 });
storageKit("SQLite, own files", () => openSubject("commit", 1, "in own files"), { sequences: 6 });
storageKit("SQLite, own files, interval", () => openSubject("interval", 3, "in own files"), { sequences: 2 });
