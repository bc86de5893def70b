/**
 * A text whose letters have names, so that an edit means the same whatever others have done meanwhile: "behind this
 * letter" and "these letters" stay true, "at 17" doesn't. A letter that was removed stays, unseen: somebody may be writing
 * behind it. Who applies the same edits in the same order has the same text.
 */

export interface Edit {
  /** The edit's, made by its author. Its letters are `id/0`, `id/1`, … */
  readonly id: string;
  /** The letter that `insert` comes behind; empty for the beginning. */
  readonly after: string;
  readonly insert: string;
  readonly remove: readonly string[];
}

interface Letter {
  readonly name: string;
  readonly letter: string;
  readonly gone: boolean;
}

export class Text {
  #letters: readonly Letter[];

  constructor(edits: readonly Edit[] = []) {
    this.#letters = [];
    for (const edit of edits) this.apply(edit);
  }

  toString(): string {
    return this.#seen()
      .map(({ letter }) => letter)
      .join("");
  }

  /** This text, and `edits` behind it. */
  with(edits: readonly Edit[]): Text {
    const text = new Text();
    text.#letters = this.#letters;
    for (const edit of edits) text.apply(edit);
    return text;
  }

  /** False when the edit speaks of letters that never were. */
  knows({ after, remove }: Edit): boolean {
    const names = new Set(this.#letters.map(({ name }) => name));
    return (after === "" || names.has(after)) && remove.every((name) => names.has(name));
  }

  apply({ id, after, insert, remove }: Edit): void {
    const removed = new Set(remove);
    const letters = this.#letters.map((each) => (removed.has(each.name) ? { ...each, gone: true } : each));
    const at = letters.findIndex(({ name }) => name === after) + 1;
    const fresh = [...insert].map((letter, n) => ({ name: `${id}/${n}`, letter, gone: false }));
    this.#letters = letters.toSpliced(at, 0, ...fresh);
  }

  /** Behind the first `at` letters that are seen, `remove` of them go and `insert` comes. */
  edit(id: string, { at, remove, insert }: { at: number; remove: number; insert: string }): Edit {
    const seen = this.#seen().map(({ name }) => name);
    return { id, after: seen[at - 1] ?? "", insert, remove: seen.slice(at, at + remove) };
  }

  #seen(): readonly Letter[] {
    return this.#letters.filter(({ gone }) => !gone);
  }
}
