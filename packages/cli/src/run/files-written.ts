/**
 * Files written: those that a model's tools were asked about and that have changed since the run began.
 *
 * Agents have many names for the tools that write, and an agent or its user may still refuse what a model asks for. So each file that
 * arguments name is looked at when the run has ended: one that was only read, or was never written, is as old as before.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";

/** The names that agents have for a file among a tool's arguments. */
const names: ReadonlySet<string> = new Set([
  ...["file_path", "filePath", "path", "absolute_path", "notebook_path", "filename", "file"],
]);
/** A patch names its files itself. */
const patched = /^\*\*\* (?:Add File|Update File|Move to): (.+)$/gm;
/** More of them are not looked at. */
const MOST = 1_000;

/** The files that tools were asked about. */
export class FilesWritten {
  readonly #cwd: string;
  readonly #since: number;
  readonly #named = new Set<string>();

  /** `since`: when the run began, milliseconds since 1970. */
  constructor(cwd: string, since: number) {
    this.#cwd = cwd;
    this.#since = since;
  }

  /** A tool is asked with these arguments. */
  asked(args: unknown): void {
    if (typeof args !== "object" || args === null) return this.#patched(args);
    for (const [name, value] of Object.entries(args)) {
      if (names.has(name)) this.#name(value);
      else for (const text of Array.isArray(value) ? value : [value]) this.#patched(text);
    }
  }

  /** Those that have changed, in the order in which they were named. */
  changed(): string[] {
    return [...this.#named].filter((file) => this.#isNew(resolve(this.#cwd, file)));
  }

  #patched(text: unknown): void {
    if (typeof text !== "string" || !text.includes("*** ")) return;
    for (const [, file] of text.matchAll(patched)) this.#name(file?.trim());
  }

  #name(file: unknown): void {
    if (typeof file === "string" && file !== "" && this.#named.size < MOST) this.#named.add(file);
  }

  #isNew(path: string): boolean {
    try {
      const found = statSync(path);
      return found.isFile() && found.mtimeMs >= this.#since;
    } catch {
      return false;
    }
  }
}
