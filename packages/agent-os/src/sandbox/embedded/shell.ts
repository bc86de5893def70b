/**
 * just-bash, in a sandbox thread: a shell with about ninety commands, written in JavaScript, over a file system in memory.
 *
 * It is an optional package, imported when the first sandbox boots.
 */
import type { Bash, InMemoryFs, SecureFetch } from "just-bash";
import type { ImageChanges, ImageEntry } from "../file-store.ts";
import { FileWatch } from "./file-watch.ts";
import type { ThreadData } from "./messages.ts";

/** Where commands start, and what HOME is. */
export const HOME = "/home/user";

/** just-bash isn't installed. */
export class JustBashMissing extends Error {}

/** A shell and its files. */
export interface Shell {
  readonly bash: Bash;
  readonly files: InMemoryFs;
  readonly outputBytes: number;
  /** What changed since the last time. */
  takeChanges(): Promise<ImageChanges>;
}

/** The network of a shell. */
export interface Outside {
  readonly variables: Readonly<Record<string, string>>;
  readonly fetch: SecureFetch;
}

/** just-bash, loaded. */
export interface ShellModule {
  /** A shell over these files. */
  open(image: ImageChanges, outside: Outside | undefined): Promise<Shell>;
}

/** Imports just-bash. Throws {@link JustBashMissing}. */
export async function loadShell(data: ThreadData): Promise<ShellModule> {
  const justBash = await import("just-bash").catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND")
      throw new JustBashMissing(cause.message);
    throw cause;
  });
  return {
    open: async (image, outside) => {
      const files = new justBash.InMemoryFs({}, { maxTotalBytes: data.fileBytes });
      const bash = new justBash.Bash({
        fs: files,
        cwd: HOME,
        env: { HOME, USER: "user", ...outside?.variables },
        ...(outside === undefined ? {} : { fetch: outside.fetch }),
        // The deadline bounds a command's time; these are the library's own guards of memory.
        executionLimits: { maxCommandCount: Infinity, maxLoopIterations: Infinity },
      });
      await files.mkdir(HOME, { recursive: true });
      await files.mkdir("/tmp", { recursive: true });
      const given = new Set(files.getAllPaths());
      for (const [path, entry] of image) await restore(files, path, entry);
      const watch = new FileWatch(files, given);
      return { bash, files, outputBytes: data.outputBytes, takeChanges: () => watch.take() };
    },
  };
}

async function restore(files: InMemoryFs, path: string, entry: ImageEntry): Promise<void> {
  if (entry.type === "removed") await files.rm(path, { recursive: true, force: true });
  else if (entry.type === "symlink") await files.symlink(entry.target, path);
  else if (entry.type === "directory") {
    await files.mkdir(path, { recursive: true });
    await files.chmod(path, entry.mode);
  } else {
    const { content, mode, modifiedAt } = entry;
    files.writeFileSync(path, content, undefined, { mode, mtime: new Date(modifiedAt) });
  }
}
