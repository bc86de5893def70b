/**
 * Why code can't be opened is nothing that callers outside are told, and callers inside may not look: the log says it, once for
 * each reason and not with each call.
 */
import { type Logger, TroupeError } from "@troupe/base";

/** One definition's. */
export class OpeningLog {
  #told: string | undefined;

  /** Runs `open`, and tells what it throws where callers get `internal.error` for it. */
  async watch<T>(log: Logger, actor: string, open: () => Promise<T>): Promise<T> {
    try {
      const opened = await open();
      this.#told = undefined;
      return opened;
    } catch (error) {
      if (!TroupeError.is(error) || !error.public) this.#tell(log, actor, error);
      throw error;
    }
  }

  #tell(log: Logger, actor: string, error: unknown): void {
    const reason = String(error);
    if (reason === this.#told) return;
    this.#told = reason;
    log.error("the code of an actor can't be opened", { actor, error });
  }
}
