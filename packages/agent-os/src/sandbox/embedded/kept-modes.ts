/** Kept modes: just-bash's file system in memory makes a file anew that is written, with the mode of a new one. Here what is there keeps its own. */
import type { InMemoryFs } from "just-bash";

/** Makes a write keep the mode of a file that is there. */
export function keepModes(files: InMemoryFs): void {
  files.writeFile = async (path, content, options) => {
    const there = await files.lstat(path).catch(() => undefined);
    const kept = there === undefined ? undefined : { mode: there.mode };
    files.writeFileSync(path, content, options, kept);
  };
}
