/** Which files the configuration comes from, and one that looks as if it did. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Finding, fine, warning } from "@troupe/base";

/** `files`: those that would count, if they were there. `cwd`: where somebody may have put one, and forgotten to name it. */
export function checkConfigFiles(files: readonly string[], cwd: string): readonly Finding[] {
  const [there, absent] = [
    files.filter((file) => existsSync(file)),
    files.filter((file) => !existsSync(file)),
  ];
  const lacks = absent.length === 0 ? "" : `; ${absent.join(", ")} isn't there`;
  const found = fine(
    "config",
    there.length === 0 ? `flags, variables and defaults${lacks}` : `from ${there.join(", ")}${lacks}`,
  );
  const here = join(cwd, "troupe.toml");
  if (files.includes(here) || !existsSync(here)) return [found];
  return [
    found,
    warning(
      "config",
      `${here} is not read: no folder's file counts unasked`,
      "name it: --config troupe.toml, or TROUPE_CONFIG",
    ),
  ];
}
