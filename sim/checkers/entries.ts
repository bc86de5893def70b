/**
 * Entries: what must hold of a vault's table, in every image that a crash could leave, and of what readers were told of it.
 *
 * Transactions are serial: what one of them wrote stands together. What was undone is never there, what somebody else wrote
 * meanwhile always; and what a turn wrote to the table and to the log is there together, or not at all.
 */
import type { World } from "../world/world.ts";
import type { Durability } from "./durability.ts";
import type { History, Op } from "./history.ts";
import type { StoredState } from "./stored-state.ts";
import { markOf, tokenWith } from "./tokens.ts";

/** What is wrong with a table, or with it and the log. */
export function checkEntries({ log, entries }: StoredState): string | undefined {
  const twice = entries.find((mark, index) => entries.indexOf(mark) !== index);
  if (twice !== undefined) return `entry ${twice} is there twice`;
  const undone = entries.find((mark) => tokenWith(mark, "rowx") !== undefined);
  if (undone !== undefined) return `entry ${undone} was undone, and is there`;
  for (const [index, mark] of entries.entries()) {
    const [first, second] = [tokenWith(mark, "row1"), tokenWith(mark, "row2")];
    if (first !== undefined && entries[index + 1] !== markOf(first, "row2"))
      return `behind entry ${mark} stands ${entries[index + 1]}: half a transaction, or somebody else inside of it`;
    if (second !== undefined && entries[index - 1] !== markOf(second, "row1"))
      return `entry ${mark} is there without the first one of its transaction`;
  }
  return checkLog(new Set(log), new Set(entries));
}

function checkLog(log: ReadonlySet<string>, entries: ReadonlySet<string>): string | undefined {
  for (const mark of log) {
    const deposit = tokenWith(mark, "dep");
    if (deposit !== undefined && !entries.has(markOf(deposit, "row")))
      return `${mark} is there without its entry`;
    for (const part of ["mov", "has", "man"]) {
      const token = tokenWith(mark, part);
      if (token !== undefined && !entries.has(markOf(token, "row1")))
        return `${mark} is there without its entries`;
    }
  }
  for (const mark of entries) {
    const [deposit, once] = [tokenWith(mark, "row"), tokenWith(mark, "key")];
    const written = deposit === undefined ? once && markOf(once) : markOf(deposit, "dep");
    if (written !== undefined && !log.has(written)) return `entry ${mark} is there without its turn's mark`;
  }
  return undefined;
}

/** Whoever has read a table saw all that was there, and nothing else. */
export function checkBrowsers(of: {
  readonly world: World;
  readonly history: History;
  readonly durability: Durability;
}): void {
  const { world, history, durability } = of;
  for (const op of history.ops) {
    if (op.kind !== "browse") continue;
    const seen = seenBy(op);
    const entries = seen === undefined ? undefined : durability.entries.get(seen.id);
    if (seen === undefined || entries === undefined) continue;
    world.counters.add("a vault was looked through");
    if (seen.entries.some((mark, index) => entries[index] !== mark))
      world.fail(
        "sql",
        `${op.token} saw entries of ${seen.id} that aren't a prefix of those that were stored`,
      );
  }
}

function seenBy({ outcome }: Op): { readonly id: string; readonly entries: readonly unknown[] } | undefined {
  if (outcome.tag !== "ok") return undefined;
  const { output } = outcome;
  if (typeof output !== "object" || output === null || !("id" in output) || !("entries" in output))
    return undefined;
  return Array.isArray(output.entries) ? { id: String(output.id), entries: output.entries } : undefined;
}
