/** A directory and a storage that belong together, in memory: for tests and for durability mode `memory`. */
import type { Env } from "@troupe/base";
import { MemoryDirectory } from "./directory.ts";
import { MemoryDisk } from "./disk.ts";
import { MemoryStorage, type MemoryStorageOptions } from "./storage.ts";

/** What `openMemoryStore` takes. */
export interface MemoryStoreOptions {
  readonly env: Pick<Env, "afterTurn" | "clock" | "ids">;
  /** Default: a new, empty one. */
  readonly disk?: MemoryDisk;
  /** A sync failed: the process should end. Default: nothing. */
  readonly onFatal?: (cause: unknown) => void;
  /** See `MemoryStorageOptions`. */
  readonly own?: NonNullable<MemoryStorageOptions["own"]>;
}

/** A directory and a storage over the same disk in memory. */
export interface MemoryStore {
  readonly directory: MemoryDirectory;
  readonly storage: MemoryStorage;
}

/** Makes the pair. Destroying an actor in the directory drops its rows in the storage. */
export function openMemoryStore(options: MemoryStoreOptions): MemoryStore {
  const disk = options.disk ?? new MemoryDisk();
  const storage = new MemoryStorage({ ...options, disk });
  const directory = new MemoryDirectory({ env: options.env, forget: (id) => storage.forget(id) });
  return { directory, storage };
}
