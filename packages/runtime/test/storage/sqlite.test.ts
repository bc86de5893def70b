import { directoryKit } from "../../../../conformance/directory/directory-kit.ts";
import { storageKit } from "../../../../conformance/storage/storage-kit.ts";
import { type Durability, openLocalStore } from "../../src/node/sqlite/open-local-store.ts";
import { temporaryDirectory, testEnv } from "./test-env.ts";

async function openSubject(durability: Durability, shards: number) {
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
      return store.storage;
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
