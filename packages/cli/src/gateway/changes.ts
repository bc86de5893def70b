/** Changes: what is done to a gateway that runs, one thing after another. Its end is the last of them: behind it there is none. */
import { requestErrors } from "../errors.ts";

/** The line in which a gateway's reloads and its end stand. */
export class Changes {
  readonly #ending = new AbortController();
  /** Settles, well, behind all that was asked for. */
  #last: Promise<void> = Promise.resolve();
  #end: Promise<void> | undefined = undefined;

  /** Fires when the end is asked for, which may have to wait for a change that is under way. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Throws what `change` throws, and `gateway.stopping` once the end is asked for, also where the change still stood in line. */
  async make(change: () => Promise<void>): Promise<void> {
    await this.#behindOthers(async () => {
      if (this.ending.aborted) throw requestErrors.stopping();
      await change();
    });
  }

  /** Asked again, the same promise. */
  end(teardown: () => Promise<void>): Promise<void> {
    this.#ending.abort();
    this.#end ??= this.#behindOthers(teardown);
    return this.#end;
  }

  #behindOthers(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
