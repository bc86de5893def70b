/** HelperAnswers: what a helper answers, to one question after the other. */
import { TroupeError } from "@troupe/base";
import { storageErrors } from "../../../errors.ts";
import { fileError } from "../files.ts";
import type { HelperAnswer, HelperError, HelperQuestion, OpenQuestion } from "./helper-messages.ts";
import type { ServedDatabase } from "./served-database.ts";
import { SyncFailed } from "./sync-failed.ts";

/** The answers of one helper. */
export class HelperAnswers {
  readonly #open: (question: OpenQuestion) => ServedDatabase;
  #served: ServedDatabase | undefined;

  /** `open` opens the file that a question names. Throws `storage.*`. */
  constructor(open: (question: OpenQuestion) => ServedDatabase) {
    this.#open = open;
  }

  /** Never throws. */
  answer(question: HelperQuestion): HelperAnswer {
    const kind = "answer";
    try {
      const value = this.#valueFor(question);
      return { kind, pending: this.#served?.pending ?? false, value };
    } catch (cause) {
      const pending = this.#served?.pending ?? false;
      return { kind, pending, error: onItsWay(question, cause), final: cause instanceof SyncFailed };
    }
  }

  #valueFor(question: HelperQuestion): unknown {
    switch (question.kind) {
      case "open":
        this.#served = this.#open(question);
        return undefined;
      case "execute":
        return this.#file.execute(question.sql, question.params, question.mayWrite);
      case "batch":
        return this.#file.batch(question.statements);
      case "savepoint":
      case "release":
      case "rollback":
        return this.#file[question.kind](question.savepoint);
      case "load":
        return this.#file.load();
      case "read":
        return this.#file.read(question.keys);
      case "list":
        return this.#file.list(question.range);
      case "commit":
        return this.#file.commit(question.batch);
      case "abandon":
        return this.#file.abandon();
      case "close": {
        const closing = this.#file;
        this.#served = undefined;
        return closing.close();
      }
    }
  }

  get #file(): ServedDatabase {
    if (this.#served === undefined) throw new Error("there is no file yet");
    return this.#served;
  }
}

function onItsWay({ kind }: HelperQuestion, cause: unknown): HelperError {
  const error = TroupeError.is(cause) ? cause : errorOf(kind, cause);
  const { group, code, message, metadata, retryable, statusCode } = error;
  return { group, code, message, metadata, retryable, public: error.public, statusCode };
}

/** A transaction that fails leaves the file as it was: it is the batch that couldn't be stored. */
function errorOf(kind: HelperQuestion["kind"], cause: unknown): TroupeError {
  return kind === "commit" ? storageErrors.commitFailed("no", cause) : fileError("an actor's file", cause);
}
