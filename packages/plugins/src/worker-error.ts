/**
 * The error of a worker process. The last that the process said is with it, which may hold anything: a path, a secret. So it
 * is for who runs the host, and `forCallers` is what may leave it.
 */
import { TroupeError } from "@troupe/base";

/** The same error for those whose calls it ended: what came of the process's own mouth is left out. */
export function forCallers(error: TroupeError): TroupeError {
  return error instanceof WorkerError ? error.forCallers : error;
}

/** Of a process that ended, or has to. */
export class WorkerError extends TroupeError {
  readonly #told: Told;

  constructor(code: string, told: Told, stderr: string, statusCode = 502) {
    const metadata = { ...told.metadata, stderr };
    super("plugin", code, `${told.message}${lastWords(stderr)}`, {
      statusCode,
      public: false,
      metadata,
    });
    this.#told = told;
  }

  get forCallers(): TroupeError {
    const { message, metadata } = this.#told;
    return new TroupeError("plugin", this.code, message, { statusCode: this.statusCode, metadata });
  }
}

/** What everybody may know. */
interface Told {
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

function lastWords(stderr: string): string {
  return stderr === "" ? "" : `. It said last:\n${stderr.trimEnd()}`;
}
