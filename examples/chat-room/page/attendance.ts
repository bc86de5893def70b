/** Who is in a room, and the notes of who came and went. */

/** A line between messages: "Wren came in". */
export interface Note {
  readonly text: string;
  /** The message that it stands behind. */
  readonly after: number;
}

/** Somebody who is back by then was never gone: pages are reloaded, connections come back. */
const GONE_AFTER_MS = 4_000;
const MOST_NOTES = 50;

export class Attendance {
  readonly #me: string;
  readonly #newest: () => number;
  readonly #changed: () => void;
  readonly #leaving = new Map<string, ReturnType<typeof setTimeout>>();
  #people: readonly string[] | undefined;
  #notes: Note[] = [];

  constructor(me: string, newest: () => number, changed: () => void) {
    this.#me = me;
    this.#newest = newest;
    this.#changed = changed;
  }

  get people(): readonly string[] {
    return this.#people ?? [];
  }

  get notes(): readonly Note[] {
    return this.#notes;
  }

  /** What the room says now. The first list is no news. */
  update(people: readonly string[]): void {
    const before = this.#people;
    this.#people = people;
    if (before !== undefined) {
      for (const name of people) if (!before.includes(name)) this.#came(name);
      for (const name of before) if (!people.includes(name)) this.#went(name);
    }
    this.#changed();
  }

  #came(name: string): void {
    const leaving = this.#leaving.get(name);
    clearTimeout(leaving);
    this.#leaving.delete(name);
    if (leaving === undefined) this.#note(name, "came in");
  }

  #went(name: string): void {
    const gone = (): void => {
      this.#leaving.delete(name);
      this.#note(name, "left");
      this.#changed();
    };
    this.#leaving.set(name, setTimeout(gone, GONE_AFTER_MS));
  }

  #note(name: string, what: string): void {
    if (name === this.#me) return;
    this.#notes = [...this.#notes, { text: `${name} ${what}`, after: this.#newest() }].slice(-MOST_NOTES);
  }
}
