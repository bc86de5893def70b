/**
 * What a runtime asks of a helper process, and what it is answered. One question at a time: the next one is sent when
 * the answer to the last one has come. They travel as Node's own copies of values between processes.
 */
import type { TroupeError } from "@troupe/base";
import type { BindParams, ExecuteResult, SqlStatement } from "@troupe/protocol";
import type { Batch, Row, RowRange } from "../../../ports/storage.ts";

/** The descriptor that stays open as long as the runtime lives. Nothing is written to it. */
export const LIFELINE_FD = 3;

/** The signal that a helper ends itself with when it takes too much memory. Nothing else sends it. */
export const MEMORY_SIGNAL = "SIGUSR2";

/** The file that a helper serves from now on. */
export interface OpenQuestion {
  readonly kind: "open";
  readonly path: string;
  /** What the file is made of, while nobody was told of its actor; see `own/spare-files.ts`. */
  readonly spare: string | undefined;
  readonly durability: "commit" | "interval";
}

/** A question. Savepoints have numbers of the runtime's. */
export type HelperQuestion =
  | OpenQuestion
  /** `mayWrite`: false when the runtime has to know first. */
  | {
      readonly kind: "execute";
      readonly sql: string;
      readonly params: BindParams;
      readonly mayWrite: boolean;
    }
  /** May write: whoever has the batch was asked. */
  | { readonly kind: "batch"; readonly statements: readonly SqlStatement[] }
  | { readonly kind: "savepoint" | "release" | "rollback"; readonly savepoint: number }
  | { readonly kind: "load" }
  | { readonly kind: "read"; readonly keys: readonly string[] }
  | { readonly kind: "list"; readonly range: RowRange }
  /** Stores the batch, with what its turns have written; answered when it is durable. */
  | { readonly kind: "commit"; readonly batch: Batch }
  /** What no batch has stored is undone. */
  | { readonly kind: "abandon" }
  /** As `abandon`, and the file is closed. */
  | { readonly kind: "close" };

/** What the answers hold, by the question. */
export interface HelperValues {
  readonly open: undefined;
  /** `undefined`: a statement that writes was about to run, and may not yet. */
  readonly execute: ExecuteResult | undefined;
  readonly batch: readonly ExecuteResult[];
  readonly savepoint: undefined;
  readonly release: undefined;
  readonly rollback: undefined;
  readonly load: readonly Row[];
  readonly read: readonly (Uint8Array | undefined)[];
  readonly list: readonly Row[];
  readonly commit: undefined;
  readonly abandon: undefined;
  readonly close: undefined;
}

/** A TroupeError on its way. Causes stay where they were. */
export type HelperError = Pick<
  TroupeError,
  "group" | "code" | "message" | "metadata" | "retryable" | "public" | "statusCode"
>;

/** The first thing that a helper says; then one answer to each question. */
export type HelperSaying = { readonly kind: "ready" } | HelperAnswer;

/** An answer. */
export interface HelperAnswer {
  readonly kind: "answer";
  /** The helper holds something that no batch has stored: without it that is lost. */
  readonly pending: boolean;
  readonly value?: unknown;
  readonly error?: HelperError;
  /** A sync failed: nobody knows what the disk holds. */
  readonly final?: boolean;
}
