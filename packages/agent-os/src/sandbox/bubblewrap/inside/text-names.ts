/**
 * Text names: on Linux a name is bytes, and what is stored is text. What isn't UTF-8 would become another name as text, or two names one:
 * it is told of instead, as nothing may be lost in silence.
 */
import { isUtf8 } from "node:buffer";
import { readdirSync, readlinkSync, realpathSync } from "node:fs";

/** What Node puts in the place of bytes that are no text; a name may have it by right. */
const REPLACEMENT = "\ufffd";

/** The names in a directory. */
export interface Names {
  readonly text: readonly string[];
  /** Those that aren't UTF-8, as they may be shown. */
  readonly wrong: readonly string[];
}

/** What is in a directory. Throws what the system says. */
export function namesIn(directory: string): Names {
  const names = readdirSync(directory);
  if (!names.some((name) => name.includes(REPLACEMENT))) return { text: names, wrong: [] };
  const { text = [], wrong = [] } = Object.groupBy(readdirSync(directory, "buffer"), (name) =>
    isUtf8(name) ? "text" : "wrong",
  );
  return { text: text.map(String), wrong: wrong.map(String) };
}

/** Where a link leads; undefined where that isn't UTF-8. Throws what the system says. */
export function linkTarget(path: string): string | undefined {
  const target = readlinkSync(path);
  return !target.includes(REPLACEMENT) || isUtf8(readlinkSync(path, "buffer")) ? target : undefined;
}

/** Where a path leads through all links; undefined where that isn't UTF-8. Throws what the system says. */
export function realPath(path: string): string | undefined {
  const real = realpathSync.native(path, "buffer");
  return isUtf8(real) ? String(real) : undefined;
}
