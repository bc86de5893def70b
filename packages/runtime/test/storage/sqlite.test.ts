import { directoryKit } from "../../../../conformance/directory/directory-kit.ts";
import { storageKit } from "../../../../conformance/storage/storage-kit.ts";
import { type Durability, openLocalStore } from "../../src/node/sqlite/open-local-store.ts";
import type { Directory } from "../../src/ports/directory.ts";
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

/** The same directory: all that is made there has a database. */
function ofDatabases(directory: Directory): Directory {
  const needs = { database: true };
  return {
    find: (address) => directory.find(address),
    get: (id) => directory.get(id),
    create: (address) => directory.create(address, needs),
    getOrCreate: (address) => directory.getOrCreate(address, needs),
    claim: (id) => directory.claim(id),
    renew: (id, generation) => directory.renew(id, generation),
    release: (id, generation) => directory.release(id, generation),
    destroy: (id, generation) => directory.destroy(id, generation),
    list: (query) => directory.list(query),
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
      return rows === "in shards" ? store.directory : ofDatabases(store.directory);
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
directoryKit("SQLite, own files", () => openSubject("commit", 3, "in own files"));
storageKit("SQLite", () => openSubject("commit", 1), { sequences: 12 });
storageKit("SQLite with 3 shards, interval", () => openSubject("interval", 3), { sequences: 3 });
storageKit("SQLite, own files", () => openSubject("commit", 1, "in own files"), { sequences: 6 });
storageKit("SQLite, own files, interval", () => openSubject("interval", 3, "in own files"), { sequences: 2 });
