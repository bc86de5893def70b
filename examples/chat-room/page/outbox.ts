/**
 * Messages on their way. A message stays here until the room has acknowledged it, and then it is on the room's disk.
 * They leave one after the other, so that their order holds whatever happens between.
 */

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
    this.#work();
  }

  retry(id: string): void {
    const draft = this.#drafts.get(id);
    if (draft === undefined) return;
    draft.failure = undefined;
    this.#changed();
    this.#work();
  }

  /** The room has this message: an event may say so before the answer does. */
  arrived(id: string): void {
    if (this.#drafts.delete(id)) this.#changed();
  }

  #work(): void {
    if (this.#busy) return;
    const next = this.drafts.find((draft) => draft.failure === undefined);
    if (next === undefined) return;
    this.#busy = true;
    this.#attempt(next).then(() => {
      this.#busy = false;
      this.#work();
    });
  }

  /** Never rejects. */
  async #attempt(draft: Draft): Promise<void> {
    try {
      await this.#deliver(draft);
      this.arrived(draft.id);
    } catch (error) {
      // It left and the answer was lost. The client never repeats such a call by itself; we may, for the room keeps a
      // message once. It waits for the connection, and the loop in `#work` comes back to it.
      if (codeOf(error) === "client.outcome_unknown") return;
      draft.failure = error instanceof Error ? error.message : "It could not be sent";
      this.#changed();
    }
  }
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("group" in error) || !("code" in error)) return "";
  return `${String(error.group)}.${String(error.code)}`;
}
