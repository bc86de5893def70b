/** What a batch of a shard's committer is for. */
import type { ActorRecord } from "../../ports/directory.ts";

/** An actor as its shard knows it: the number is its place in the tables. */
export interface ShardActor {
  readonly number: number;
  readonly id: string;
  /** Why the row that creates it could not be written: nothing of it may be. */
  failure: unknown;
}

/** A batch of an actor's rows. */
export interface RowsTarget {
  readonly kind: "rows";
  readonly actor: ShardActor;
}

/** Puts a new actor's row into the directory. */
export interface CreateTarget {
  readonly kind: "create";
  readonly actor: ShardActor;
  readonly record: ActorRecord;
  readonly keyText: string;
  /** The actor has a file of its own. */
  readonly ownFile: boolean;
}

/** Marks an actor as destroyed. */
export interface DestroyTarget {
  readonly kind: "destroy";
  readonly actorNumber: number;
  readonly at: number;
}

/** Deletes some rows of a destroyed actor, and the actor's own when none are left. */
export interface SweepTarget {
  readonly kind: "sweep";
  readonly actorNumber: number;
  /** Set by the write: nothing is left. */
  finished: boolean;
}

/** What a commit slot of a shard writes. */
export type ShardTarget = RowsTarget | CreateTarget | DestroyTarget | SweepTarget;
