/**
 * An error that says more to who runs the host than to callers. What a plugin's process said last, and what its source threw, may hold
 * anything: a path, a secret. That is for the host's log, and `forCallers` is what may leave it.
 */
import { TroupeError } from "@troupe/base";

/** The same error for those whose calls it ended: what came of the plugin's own mouth is left out. */
export function forCallers(error: TroupeError): TroupeError {
  return error instanceof InnerError ? error.forCallers : error;
}

/** What only the host may know, beside what everybody may. */
export interface Inner {
  readonly message: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Of the same group, code and status as what is told to callers. */
export class InnerError extends TroupeError {
  readonly #told: TroupeError;

  constructor(told: TroupeError, { message, metadata }: Inner) {
    const { group, code, statusCode } = told;
    super(group, code, message, {
      statusCode,
      public: false,
      metadata: { ...told.metadata, ...metadata },
    });
    this.#told = told;
  }

  get forCallers(): TroupeError {
    return this.#told;
  }
}
