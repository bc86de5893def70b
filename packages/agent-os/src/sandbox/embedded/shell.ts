/**
 * just-bash, in a sandbox thread: a shell with about ninety commands, written in JavaScript, over a file system in memory.
 *
 * It is an optional package, imported when the first sandbox boots.
 */
import type { Bash, InMemoryFs, MountableFs, SecureFetch } from "just-bash";
import type { ImageChanges, ImageEntry } from "../file-store.ts";
import { FileWatch } from "./file-watch.ts";
import type { Layers, ThreadData } from "./messages.ts";

/** Where commands start, and what HOME is. */
export const HOME = "/home/user";

/** just-bash isn't installed. */
export class JustBashMissing extends Error {}

/** A shell and its files. */
export interface Shell {
  readonly bash: Bash;
  readonly files: InMemoryFs | MountableFs;
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
  open(image: ImageChanges, layers: Layers | undefined, outside: Outside | undefined): Promise<Shell>;
}

/** Imports just-bash. Throws {@link JustBashMissing}. */
export async function loadShell(data: ThreadData): Promise<ShellModule> {
  const justBash = await import("just-bash").catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND")
      throw new JustBashMissing(cause.message);
    throw cause;
  });
  const mountOf = ({ path, hostPath }: Layers["hosts"][number]) => ({
    mountPoint: path,
    // It looks at no link that leads out of its root.
    filesystem: new justBash.OverlayFs({
      root: hostPath,
      mountPoint: "/",
      readOnly: true,
      maxFileReadSize: data.fileBytes,
    }),
  });
  return {
    open: async (image, layers, outside) => {
      const files = new justBash.InMemoryFs({}, { maxTotalBytes: data.fileBytes });
      const options = {
        cwd: HOME,
        env: { HOME, USER: "user", ...outside?.variables },
        ...(outside === undefined ? {} : { fetch: outside.fetch }),
        // The deadline bounds a command's time; these are the library's own guards of memory.
        executionLimits: { maxCommandCount: Infinity, maxLoopIterations: Infinity },
      };
      // It puts what every shell has there.
      const plain = new justBash.Bash({ ...options, fs: files });
      await files.mkdir(HOME, { recursive: true });
      await files.mkdir("/tmp", { recursive: true });
      for (const [path, entry] of layers?.lower ?? []) await restore(files, path, entry);
      const given = new Set(files.getAllPaths());
      for (const [path, entry] of image) await restore(files, path, entry);
      const watch = new FileWatch(files, given);
      const { hosts = [] } = layers ?? {};
      if (hosts.length === 0)
        return { bash: plain, files, outputBytes: data.outputBytes, takeChanges: () => watch.take() };
      const mounted = new justBash.MountableFs({ base: files, mounts: hosts.map(mountOf) });
      const bash = new justBash.Bash({ ...options, fs: mounted });
      return { bash, files: mounted, outputBytes: data.outputBytes, takeChanges: () => watch.take() };
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
