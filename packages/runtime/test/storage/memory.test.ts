import { directoryKit } from "../../../../conformance/directory/directory-kit.ts";
import { storageKit } from "../../../../conformance/storage/storage-kit.ts";
import { transportKit } from "../../../../conformance/transport/transport-kit.ts";
import { MemoryDirectory } from "../../src/ports/memory/directory.ts";
import { MemoryDisk } from "../../src/ports/memory/disk.ts";
import { MemoryStorage } from "../../src/ports/memory/storage.ts";
import { MemoryTransport } from "../../src/ports/memory/transport.ts";
import { testEnv } from "./test-env.ts";

const env = testEnv();
const nothing = async () => {};

directoryKit("memory", async () => ({
  directory: new MemoryDirectory({ env }),
  [Symbol.asyncDispose]: nothing,
}));

storageKit("memory", async () => {
  const disk = new MemoryDisk();
  let storage = new MemoryStorage({ env, disk });
  const directory = new MemoryDirectory({ env, forget: (id) => storage.forget(id) });
  return {
    directory,
    get storage() {
      return storage;
    },
    restart: async () => {
      await storage.close();
      storage = new MemoryStorage({ env, disk });
    },
    crash: async () => {
      disk.crash({ keepGroups: Math.floor(Math.random() * 2) });
      storage = new MemoryStorage({ env, disk });
    },
    [Symbol.asyncDispose]: () => storage.close(),
  };
});

transportKit("memory", async () => {
  const transport = new MemoryTransport({ env });
  return {
    transport,
    address: "somewhere",
    breakAll: () => transport.breakAll(),
    [Symbol.asyncDispose]: nothing,
  };
});
