/** A file of TOML: its values, and where in its text a key stands. */
import { TroupeError } from "@troupe/base";
import { readBoundedSync } from "@troupe/plugins/bounded-file";
import { limits } from "@troupe/protocol";
import { parse, TomlError } from "smol-toml";
import { configErrors } from "../errors.ts";

/** One that was read. */
export class TomlFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly #lines: readonly string[];

  private constructor(path: string, text: string) {
    this.path = path;
    this.#lines = text.split("\n");
    try {
      this.values = parse(text);
    } catch (cause) {
      // Its message shows the lines around, and a key may be in one.
      if (cause instanceof TomlError) throw configErrors.malformed(path, cause.line, cause.column);
      throw cause;
    }
  }

  /** Undefined when there is none. Throws `config.unreadable`, `config.malformed`. */
  static read(path: string): TomlFile | undefined {
    const limitBytes = limits.configFileBytes;
    const tooLarge = (): Error => configErrors.tooLarge(path, limitBytes);
    let text: string;
    try {
      text = readBoundedSync(path, { limitBytes, tooLarge }).toString();
    } catch (cause) {
      if (TroupeError.is(cause)) throw cause;
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
      throw configErrors.unreadable(path, cause);
    }
    return new TomlFile(path, text);
  }

  /** `path:line` of the key, or of the table in one line that it is in; the path alone where this doesn't follow how it is written. */
  placeOf(key: readonly string[]): string {
    for (let length = key.length; length > 0; length -= 1) {
      const line = this.#lineOf(key.slice(0, length));
      if (line !== undefined) return `${this.path}:${line}`;
    }
    return this.path;
  }

  #lineOf(key: readonly string[]): number | undefined {
    let table: readonly string[] = [];
    for (const [index, line] of this.#lines.entries()) {
      const header = /^\s*\[\[?([^\]]+)\]/.exec(line)?.[1];
      const assigned = /^\s*([\w"'.\s-]+?)\s*=/.exec(line)?.[1];
      if (header !== undefined) table = partsOf(header);
      const here =
        header !== undefined ? table : assigned === undefined ? [] : [...table, ...partsOf(assigned)];
      if (begins(here, key)) return index + 1;
    }
    return undefined;
  }
}

function partsOf(dotted: string): readonly string[] {
  return dotted.split(".").map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2"));
}

function begins(path: readonly string[], key: readonly string[]): boolean {
  return path.length >= key.length && key.every((part, n) => path[n] === part);
}
