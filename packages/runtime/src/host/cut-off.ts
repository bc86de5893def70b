/**
 * CutOff: an actor whose creation, or whose destruction, a crash cut off.
 *
 * The first lacks the row that ends a creation, and nobody was ever told of it; the second has the row that begins a
 * destruction, and somebody was told that it is gone. Neither lives: whoever finds one gives it back to the directory.
 */
import { TroupeError } from "@troupe/base";
import type { ActorRecord, Directory, Generation } from "../ports/directory.ts";
import {
  type ActorStorage,
  CREATED_ROW,
  DESTROYED_ROW,
  type Row,
  type StoreNeeds,
} from "../ports/storage.ts";

/** Thrown when such an actor was about to wake. */
export class CutOff extends TroupeError {
  constructor(record: ActorRecord) {
    super("actor", "not_found", `There is no actor ${record.id}`, { statusCode: 404 });
  }
}

/** The actor's creation is done, and its destruction hasn't begun. */
export function lives(rows: readonly Row[]): boolean {
  return rows.some((row) => row.key === CREATED_ROW) && !rows.some((row) => row.key === DESTROYED_ROW);
}

/** Where it is looked for, and given back. */
export interface CutOffParts {
  readonly directory: Directory;
  readonly storage: ActorStorage;
  readonly needs: StoreNeeds | undefined;
}

/**
 * Looks whether a sleeping actor lives. The generation to remove it with, when it doesn't; one that lives is released.
 * Rejects when it can't be read, and with `actor.not_found` when it is gone.
 */
export async function claimCutOff(
  { directory, storage, needs }: CutOffParts,
  record: ActorRecord,
): Promise<Generation | undefined> {
  const { generation } = await directory.claim(record.id);
  let found = false;
  try {
    const store = await storage.open(record, generation, needs);
    found = !lives(await store.load().finally(() => store.close()));
  } finally {
    if (!found) await directory.release(record.id, generation);
  }
  return found ? generation : undefined;
}
