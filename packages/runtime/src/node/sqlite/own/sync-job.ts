/** How one job is synced: by a sync thread, or where there can be none by whoever asks. */
import { fdatasyncSync, fstatSync, fsyncSync } from "node:fs";
import { resultOf, syncResults } from "../request-cells.ts";
import { kinds } from "./sync-cells.ts";

/** Syncs it now, and says how it went as `syncResults` do. `end`: the file must not be shorter, bytes. */
export function syncNow(kind: number, fd: number, end: number): number {
  return resultOf(() => {
    if (kind === kinds.directory) {
      fsyncSync(fd);
      return 0;
    }
    fdatasyncSync(fd);
    if (kind === kinds.file) return 0;
    // SQLite writes to a descriptor that it opened: one whose file is gone, or was cut, succeeds and means nothing.
    const { nlink, size } = fstatSync(fd);
    return nlink === 0 || size < end ? syncResults.cut : 0;
  });
}
