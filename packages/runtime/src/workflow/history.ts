/**
 * History: what a workflow's code came to so far. The code runs from its beginning in each life of its actor; what it
 * comes to again is answered from here, and what it comes to for the first time is done, and becomes an entry.
 *
 * So the code must come to the same things. Each place knows which of its entries the code hasn't come to yet: whoever
 * wants to do something new while there are some has another program than the one that wrote them, and whoever is through
 * with a place while there are some as well, also by an error: a bug in a new program fails no workflow that was further.
 * All of it is `workflow.history_diverged`, before anything new was done.
 *
 * It is in memory while the workflow goes on, so it has limits; a loop's old rounds go.
 */
import { limits } from "@troupe/protocol";
import { decodeEntry, type Entry, encodeEntry } from "./entry.ts";
import { workflowErrors } from "./errors.ts";
import { storedError } from "./failure.ts";
import { around, endOf, historyOf, readable, roundOf } from "./location.ts";
import type { WorkflowRows } from "./rows.ts";

interface Known {
  readonly entry: Entry;
  readonly bytes: number;
}

/** Entries that an error names. */
const SHOWN = 3;
/** Entries that are read at once: with the largest values they fit into one list. */
const PAGE = Math.floor(limits.kvListBytes / limits.workflowValueBytes) - 1;

/** The history of one workflow that goes on. */
export class History {
  readonly #id: string;
  readonly #prefix: string;
  readonly #rows: WorkflowRows;
  readonly #known = new Map<string, Known>();
  /** Stored in an earlier life and not come to yet, by the place around. */
  readonly #ahead = new Map<string, Set<string>>();
  #bytes = 0;

  constructor(id: string, rows: WorkflowRows) {
    this.#id = id;
    this.#prefix = historyOf(id);
    this.#rows = rows;
  }

  /** Reads what is stored. Throws `workflow.row_invalid`. */
  async load(): Promise<void> {
    const rows = await this.#rows.all(this.#prefix, endOf(this.#prefix), PAGE);
    for (const { key, value } of rows) {
      const location = key.slice(this.#prefix.length);
      this.#known.set(location, { entry: decodeEntry(key, value), bytes: value.byteLength });
      this.#bytes += value.byteLength;
      const scope = around(location);
      const ahead = this.#ahead.get(scope);
      if (ahead === undefined) this.#ahead.set(scope, new Set([location]));
      else ahead.add(location);
    }
  }

  /** The code has come to a place: what it did there, if anything. */
  come(location: string): Entry | undefined {
    const known = this.#known.get(location);
    if (known !== undefined) this.#ahead.get(around(location))?.delete(location);
    return known?.entry;
  }

  get(location: string): Entry | undefined {
    return this.#known.get(location)?.entry;
  }

  /** True when the code has not come to all that an earlier life did in a place. */
  isBehind(scope: string): boolean {
    return (this.#ahead.get(scope)?.size ?? 0) > 0;
  }

  /**
   * Something of a kind is to happen that no earlier life came to. Throws `workflow.history_diverged`, and
   * `workflow.history_full` before it happens in vain.
   */
  checkNew(location: string, kind: string): void {
    if (!this.#known.has(location)) this.#checkRoom();
    const ahead = this.#ahead.get(around(location));
    if (ahead === undefined || ahead.size === 0) return;
    const others = [...ahead].slice(0, SHOWN).map((other) => `"${readable(other)}"`);
    throw workflowErrors.historyDiverged(
      readable(location),
      `a ${kind}`,
      `nothing there, but ${others.join(", ")}`,
    );
  }

  /** The code is through with a place: it has returned, or thrown something. Throws `workflow.history_diverged`. */
  checkEnd(scope: string, thrown?: { readonly cause: unknown }): void {
    const [location] = this.#ahead.get(scope) ?? [];
    if (location === undefined) return;
    const found = `a ${this.#known.get(location)?.entry.kind ?? "entry"}`;
    if (thrown === undefined) throw workflowErrors.historyDiverged(readable(location), "nothing more", found);
    const { name, message } = storedError(thrown.cause);
    const threw = `threw ${name}: ${message}`;
    throw workflowErrors.historyDiverged(readable(location), threw, found, thrown.cause);
  }

  /** Stored with the open batch. Throws `workflow.history_full`, `workflow.value_too_large`, `value.*`. */
  put(location: string, entry: Entry): void {
    const row = encodeEntry(entry);
    if (row.byteLength > limits.workflowValueBytes)
      throw workflowErrors.valueTooLarge(readable(location), row.byteLength, limits.workflowValueBytes);
    const before = this.#known.get(location);
    if (before === undefined) this.#checkRoom();
    const bytes = this.#bytes - (before?.bytes ?? 0) + row.byteLength;
    if (bytes > limits.workflowHistoryBytes)
      throw workflowErrors.historyFull(this.#id, limits.workflowHistoryBytes, "bytes");
    this.#rows.write(this.#prefix + location, row);
    this.#known.set(location, { entry, bytes: row.byteLength });
    this.#bytes = bytes;
  }

  /** All below a place goes, as if the code had never come to it. */
  forget(scope: string): void {
    for (const location of [...this.#known.keys()])
      if (location.startsWith(`${scope}/`)) this.#drop(location);
  }

  /** The rounds of a loop before one go. */
  forgetRounds(loop: string, before: number): void {
    const start = `${loop}/#`;
    const end = roundOf(loop, before);
    for (const location of [...this.#known.keys()])
      if (location.startsWith(start) && location < end) this.#drop(location);
  }

  #checkRoom(): void {
    if (this.#known.size >= limits.workflowEntries)
      throw workflowErrors.historyFull(this.#id, limits.workflowEntries, "entries");
  }

  #drop(location: string): void {
    const known = this.#known.get(location);
    if (known === undefined) return;
    this.#rows.write(this.#prefix + location, null);
    this.#known.delete(location);
    this.#ahead.get(around(location))?.delete(location);
    this.#bytes -= known.bytes;
  }
}
