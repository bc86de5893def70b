/**
 * PageBudget: how much of a trace a page has room for. One of a hundred megabytes opens nowhere, so what no longer fits is counted, and
 * the page says how much that is. Values go first: what happened is told for long when what was said isn't any more.
 */

/** Characters of values. */
const VALUES = 20_000_000;
/** Characters of the lines of scopes and marks. */
const NODES = 20_000_000;

/** What is left for one page. */
export class PageBudget {
  #values = VALUES;
  #nodes = NODES;
  #valuesLeftOut = 0;
  #nodesLeftOut = 0;

  /** The line of a scope or a mark; undefined: there is no room for any more. */
  node(line: string): string | undefined {
    if (this.#nodesLeftOut === 0 && line.length <= this.#nodes) {
      this.#nodes -= line.length;
      return line;
    }
    this.#nodesLeftOut += 1;
    return undefined;
  }

  /** What was said; nothing where there is no room for it. */
  value(text: string): string {
    if (text.length <= this.#values) {
      this.#values -= text.length;
      return text;
    }
    this.#values = 0;
    this.#valuesLeftOut += 1;
    return "";
  }

  /** What the page lacks, for its head; nothing where it lacks nothing. */
  leftOut(): string {
    const parts = [
      ...(this.#nodesLeftOut === 0 ? [] : [`${this.#nodesLeftOut} scopes and marks`]),
      ...(this.#valuesLeftOut === 0 ? [] : [`${this.#valuesLeftOut} requests and responses`]),
    ];
    return parts.length === 0
      ? ""
      : `. Left out, as a page has no room for them: ${parts.join(" and ")}; the file has them`;
  }
}
