/**
 * Messages on their way. A message stays here until the room has acknowledged it, and then it is on the room's disk.
 * They leave one after the other, so that their order holds whatever happens between.
 */
import { TroupeError } from "troupe/client";

export interface Draft {
  readonly id: string;
  readonly text: string;
  readonly at: number;
  /** Why the room refused it; undefined while it is on its way. */
  failure: string | undefined;
}

export class Outbox {
  readonly #deliver: (draft: Draft) => Promise<void>;
  readonly #changed: () => void;
  readonly #drafts = new Map<string, Draft>();
  #busy = false;

  /** `deliver` settles when the room has the message. */
  constructor(deliver: (draft: Draft) => Promise<void>, changed: () => void) {
    this.#deliver = deliver;
    this.#changed = changed;
  }

  get drafts(): readonly Draft[] {
    return [...this.#drafts.values()];
  }

  add(text: string): void {
    const id = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
      byte.toString(16).padStart(2, "0"),
    );
    const draft = { id: id.join(""), text, at: Date.now(), failure: undefined };
    this.#drafts.set(draft.id, draft);
    this.#changed();
    void this.#work();
  }

  retry(id: string): void {
    const draft = this.#drafts.get(id);
    if (draft === undefined) return;
    draft.failure = undefined;
    this.#changed();
    void this.#work();
  }

  /** The room has this message: an event may say so before the answer does. */
  arrived(id: string): void {
    if (this.#drafts.delete(id)) this.#changed();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let draft = this.#next; draft !== undefined; draft = this.#next) await this.#attempt(draft);
    this.#busy = false;
  }

  get #next(): Draft | undefined {
    return this.drafts.find((draft) => draft.failure === undefined);
  }

  /** Never rejects. */
  async #attempt(draft: Draft): Promise<void> {
    try {
      await this.#deliver(draft);
      this.arrived(draft.id);
    } catch (error) {
      // It left and the answer was lost. The client never repeats such a call by itself; we may, for the room keeps a
      // message once. It waits for the connection, and `#work` comes back to it.
      if (TroupeError.is(error) && error.code === "outcome_unknown") return;
      draft.failure = error instanceof Error ? error.message : "It could not be sent";
      this.#changed();
    }
  }
}
