/**
 * walkNumbers: a table's rows in the order of their numbers, around places that can't be read.
 *
 * SQLite stops at a page that is damaged. A search for a number behind it takes another way through the tree, so the
 * first number behind the damage is looked for: by steps that double, and then between the last two of them.
 */
import type { SqlValue } from "../sqlite.ts";

type Found = Record<string, SqlValue>;

/** `next`: the first row whose number is at least this one; throws where that can't be read. Numbers end at `most`. */
export function* walkNumbers(next: (from: number) => Found | undefined, most: number): Generator<Found> {
  let from = 0;
  while (from <= most) {
    const at = tried(next, from) ?? behindDamage(next, from, most);
    if (at === undefined || at.row === undefined) return;
    yield at.row;
    from = Math.max(from, Number(at.row["number"])) + 1;
  }
}

interface Tried {
  readonly row: Found | undefined;
}

function tried(next: (from: number) => Found | undefined, from: number): Tried | undefined {
  try {
    return { row: next(from) };
  } catch {
    return undefined;
  }
}

/** The first row that can be read behind `from`, which can't. */
function behindDamage(
  next: (from: number) => Found | undefined,
  from: number,
  most: number,
): Tried | undefined {
  let bad = from;
  let good: { readonly at: number; readonly found: Tried } | undefined;
  for (let step = 1; good === undefined; step *= 2) {
    const at = Math.min(from + step, most);
    const found = tried(next, at);
    if (found !== undefined) good = { at, found };
    else if (at === most) return undefined;
    else bad = at;
  }
  while (good.at - bad > 1) {
    const at: number = bad + Math.floor((good.at - bad) / 2);
    const found = tried(next, at);
    if (found === undefined) bad = at;
    else good = { at, found };
  }
  return good.found;
}
