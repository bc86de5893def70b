/** ActorFile: one actor's own file, whoever opens it: this process, or a helper process. */
import type { ActorSql } from "../../../ports/storage.ts";
import type { CommitFile } from "../../../storage/commit-file.ts";
import type { RowReader } from "../../../storage/open-stores.ts";

/** What a slot of its committer is for: the actor. */
export type OwnTarget = "actor";

/** What the statements of one activation need. */
export interface ActorFileUse {
  readonly actorId: string;
  /** Throws when the activation's right to the file has ended. */
  readonly check: () => void;
  /** A statement is about to write: asks for a batch. May throw to refuse it. */
  readonly wrote: () => void;
  /** No batch is taken until what it returns is called. */
  readonly hold: () => () => void;
}

/** The file of one actor with a database. */
export interface ActorFile extends CommitFile<OwnTarget>, RowReader<OwnTarget> {
  /** An activation's statements. */
  sql(use: ActorFileUse): ActorSql;
  /**
   * Runs a copy of the file while nobody has it to himself; absent where nobody ever has. False: it wasn't run, because the
   * file was in a transaction each time.
   */
  aside?(copy: () => Promise<void>): Promise<boolean>;
  /** What no batch has stored is gone: it was written by an activation that is fenced off. */
  abandon(): void;
  /** What no batch has stored is gone, and the file is closed. In memory it stays. */
  close(): Promise<void>;
}
