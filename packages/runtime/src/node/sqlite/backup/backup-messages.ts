/** What the backup thread is asked and answers. */
export type BackupQuestion =
  /** Copies one database, as it is at one moment. */
  | { readonly kind: "copy"; readonly from: string; readonly to: string; readonly holds: "shard" | "actor" }
  /** What the directory in a shard says of these actors. */
  | { readonly kind: "look"; readonly shard: string; readonly actorIds: readonly string[] }
  /** Actors that were made with a file of their own, by the copy of a shard. */
  | { readonly kind: "with-file"; readonly shard: string }
  /** Puts the alarms of own files into the copy of a shard, and takes out who has gone. */
  | {
      readonly kind: "mend";
      readonly shard: string;
      readonly alarms: readonly ActorAlarm[];
      readonly gone: readonly string[];
    }
  /** Makes a file durable. */
  | { readonly kind: "seal"; readonly path: string };

/** An actor's alarm, as its own file has it. */
export type ActorAlarm = readonly [actorId: string, at: number | null];

/** A copy. */
export interface CopiedDatabase {
  readonly bytes: number;
  /** Of an actor's own file. */
  readonly alarm: number | null;
  /** Of an actor's own file: its creation has ended. */
  readonly created: boolean;
}

/** A file that is durable. */
export interface SealedFile {
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly digest: string;
}

/** What the answers hold, by the question. */
export interface BackupValues {
  readonly copy: CopiedDatabase;
  /** Those that live. */
  readonly look: readonly string[];
  readonly "with-file": readonly string[];
  readonly mend: undefined;
  readonly seal: SealedFile;
}

/** To the thread. `end`: what runs ends between two steps. */
export type ToBackupThread =
  | { readonly kind: "ask"; readonly id: number; readonly question: BackupQuestion }
  | { readonly kind: "end" };

/** What went wrong in the thread, as far as it crosses. */
export interface BackupFailure {
  readonly message: string;
  readonly code?: string;
  readonly errcode?: number;
  /** One of those that have no code of their own there. */
  readonly why?: "ended" | "log" | "damaged";
}

/** From the thread. */
export type FromBackupThread =
  | { readonly kind: "progress"; readonly bytes: number }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: BackupFailure };
