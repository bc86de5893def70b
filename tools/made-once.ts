/**
 * A file that is made of others, made anew only when one of them has changed: what it was made of is noted with a digest of each.
 * A file that would be read now and wasn't then is one that another names, and that one has changed. A note that can't be read is
 * none.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const notes = join(import.meta.dirname, "../node_modules/.cache/troupe-made");

/** What is made. */
export interface Made {
  readonly text: string;
  /** Paths of all that it is made of, tools too. */
  readonly inputs: readonly string[];
}

/** Digests of a file, and of what it was made of, by their paths. */
type Note = Readonly<Record<string, string>>;

/** Has the file at `path` be what `make` gives. Rejects as that does. */
export async function madeOnce(path: string, make: () => Promise<Made>): Promise<void> {
  const note = join(notes, `${basename(path)}.note`);
  if (holds(path, note)) return;
  const { text, inputs } = await make();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  mkdirSync(notes, { recursive: true });
  writeFileSync(note, JSON.stringify(Object.fromEntries([path, ...inputs].map((of) => [of, digest(of)]))));
}

function holds(path: string, note: string): boolean {
  try {
    const noted: Note = JSON.parse(readFileSync(note, "utf8"));
    return path in noted && Object.entries(noted).every(([of, was]) => digest(of) === was);
  } catch {
    return false;
  }
}

function digest(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("base64url");
}
