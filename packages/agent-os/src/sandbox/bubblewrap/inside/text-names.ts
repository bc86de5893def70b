/**
 * Text names: on Linux a name is bytes, and what is stored is text. What isn't UTF-8 would become another name as text, or two names one:
 * whoever made it is told instead, as nothing may be lost in silence.
 */
import { isUtf8 } from "node:buffer";
import { readdirSync, readlinkSync } from "node:fs";
import { systemError } from "./system-error.ts";

/** What Node puts in the place of bytes that are no text; a name may have it by right. */
const REPLACEMENT = "\ufffd";

/** What is in a directory. Throws what the system says, or EILSEQ for a name that isn't text. */
export function namesIn(directory: string): string[] {
  const names = readdirSync(directory);
  if (!names.some((name) => name.includes(REPLACEMENT))) return names;
  const wrong = readdirSync(directory, "buffer").find((name) => !isUtf8(name));
  if (wrong === undefined) return names;
  throw notText(`${directory === "/" ? "" : directory}/${wrong}`, "a name that isn't UTF-8");
}

/** Where a link leads. Throws what the system says, or EILSEQ where that isn't text. */
export function linkTarget(path: string): string {
  const target = readlinkSync(path);
  if (!target.includes(REPLACEMENT) || isUtf8(readlinkSync(path, "buffer"))) return target;
  throw notText(path, "a target that isn't UTF-8");
}

function notText(path: string, what: string): Error {
  return systemError("EILSEQ", `'${path}' has ${what}, and nothing is saved: rename or remove it in a shell`);
}
