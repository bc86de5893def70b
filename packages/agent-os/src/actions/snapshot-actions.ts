/** Snapshots of the sandbox's files, for callers and for other workspaces. */
import type { HookContext } from "../hooks.ts";
import type { ContentCursor, ContentPart } from "../sandbox/content-table.ts";
import type { PathRow } from "../sandbox/file-table.ts";
import {
  checkFork,
  checkSnapshot,
  type ForkOptions,
  type SnapshotOptions,
} from "../sandbox/snapshot-arguments.ts";
import type { SnapshotSource } from "../sandbox/snapshots.ts";
import type { Place } from "./place.ts";

/** What a fork needs of its context. */
type ForkingPlace = Place & Pick<HookContext, "client" | "name">;

/** What is done with snapshots. */
export const snapshotActions = {
  /** Keeps all files as they are now. It shares what they hold with the sandbox, until that changes it. */
  createSnapshot: (c: Place, options?: SnapshotOptions) => c.vars.snapshots.take(checkSnapshot(options)),
  listSnapshots: (c: Place) => c.vars.snapshots.list(),
  /** A snapshot's files take the place of all that there are; all or nothing. The snapshot stays. */
  restoreSnapshot: (c: Place, snapshotId: string) => c.vars.snapshots.restore(String(snapshotId)),
  deleteSnapshot: (c: Place, snapshotId: string) => c.vars.snapshots.remove(String(snapshotId)),
  /** The files of another workspace's snapshot take the place of all that there are; all or nothing. */
  forkSnapshot: (c: ForkingPlace, options: ForkOptions) => {
    const { from, snapshotId, params } = checkFork(options);
    return c.vars.snapshots.fork(sourceOf(c, from, params), snapshotId);
  },
  /** For a workspace that forks; no client may. */
  readSnapshotPaths: (c: Place, snapshotId: string, after: string) =>
    c.vars.snapshots.readSnapshotPaths(snapshotId, after),
  /** For a workspace that forks; no client may. */
  readSnapshotParts: (c: Place, snapshotId: string, after: ContentCursor) =>
    c.vars.snapshots.readSnapshotParts(snapshotId, after),
};

function sourceOf(c: ForkingPlace, from: string | readonly string[], params: unknown): SnapshotSource {
  const source = c.client().get(c.name, from, { params });
  return {
    readSnapshotPaths: (...args) => source.action<PathRow[]>({ name: "readSnapshotPaths", args }),
    readSnapshotParts: (...args) => source.action<ContentPart[]>({ name: "readSnapshotParts", args }),
  };
}
