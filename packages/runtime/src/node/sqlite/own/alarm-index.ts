/**
 * AlarmIndex: the alarm of one actor's own file, on its way into the index. The file's is the truth: an index that is
 * behind is mended at the next start, or by the next alarm.
 */
import type { Env } from "@troupe/base";

/** What it is made of. */
export interface AlarmIndexOptions {
  readonly log: Env["log"];
  readonly path: string;
  /** Puts the alarm into the index; settles when it is durable. */
  readonly setAlarm: (at: number | null) => Promise<void>;
}

/** What the index has to hear of one file. */
export class AlarmIndex {
  readonly #options: AlarmIndexOptions;
  /** What the last transaction did to the alarm, until the index has heard of it. */
  #alarm: number | null | undefined;

  constructor(options: AlarmIndexOptions) {
    this.#options = options;
  }

  /** A transaction has changed it. */
  changed(at: number | null): void {
    this.#alarm = at;
  }

  /** Settles when the index has heard of it, or couldn't. Never rejects. */
  async tell(): Promise<void> {
    const alarm = this.#alarm;
    if (alarm === undefined) return;
    this.#alarm = undefined;
    const { log, path, setAlarm } = this.#options;
    try {
      await setAlarm(alarm);
    } catch (error) {
      this.#alarm ??= alarm;
      log.error("an actor's alarm is not in the index", { path, error });
    }
  }
}
