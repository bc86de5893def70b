/**
 * Link commands: `rm`, `ln`, `mv` and `tar` of just-bash look at a path through a link, and so don't see one that leads nowhere: it could neither be
 * removed nor replaced, and `rm -f` said that it was; and `cp` puts a file in the place of a link. They get the shell's files with another look at a link; all else is just-bash's.
 */
import type { Bash, IFileSystem } from "just-bash";
import { correctCommand } from "./corrected-command.ts";
import { placeOf } from "./stat-command.ts";

type Look = Partial<Pick<IFileSystem, "stat" | "exists" | "cp" | "readlink" | "writeFile">>;

const PRESERVES = /^(?:-[A-Za-z]*p|--preserve)/;

/** What each command sees at a path. */
const looks: Readonly<Record<string, (files: IFileSystem, args: readonly string[]) => Look>> = {
  // What is removed is the link, also one to a directory.
  rm: (files) => ({ stat: (path) => files.lstat(path) }),
  ln: (files) => ({ exists: (path) => isThere(files, path) }),
  readlink: (files) => ({ readlink: async (path) => await files.readlink(await placeOf(files, path)) }),
  // What is packed is the link.
  tar: (files) => ({ stat: (path) => files.lstat(path) }),
  cp: (files, args) => ({
    cp: async (from, to, options) => {
      // Without `-r` what a link leads to is copied.
      const source = options?.recursive === true ? from : await files.realpath(from);
      const target = await throughLink(files, to);
      const there = await files.stat(target).catch(() => undefined);
      await files.cp(source, target, options);
      // What is written over keeps its mode.
      if (there?.isFile === true && !args.some((word) => PRESERVES.test(word)))
        await files.chmod(target, there.mode);
    },
  }),
  // Things are moved into a directory that a link leads to; a link that leads nowhere is what it is itself, and no other.
  mv: (files) => ({
    stat: (path) =>
      files.stat(path).catch(async () => ({ ...(await files.lstat(path)), identity: `link:${path}` })),
  }),
};

/** Puts them in the place of the shell's own. */
export function correctLinkCommands(bash: Bash): void {
  for (const [name, look] of Object.entries(looks))
    correctCommand(
      bash,
      name,
      (execute) => (args, context) =>
        execute(args, { ...context, fs: seenOtherwise(context.fs, look(context.fs, args)) }),
    );
}

/** Files of which some things are done in another way. */
export function seenOtherwise(files: IFileSystem, look: Look): IFileSystem {
  const other = new Map<string | symbol, unknown>(Object.entries(look));
  return new Proxy(files, {
    get: (target, name) => {
      const value: unknown = other.get(name) ?? Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Where a copy goes that is put to a link. */
async function throughLink(files: IFileSystem, path: string): Promise<string> {
  const isLink = await files.lstat(path).then(
    ({ isSymbolicLink }) => isSymbolicLink,
    () => false,
  );
  if (!isLink) return path;
  return await files.realpath(path).catch(() => {
    throw new Error(`not writing through dangling symlink '${path}'`);
  });
}

async function isThere(files: IFileSystem, path: string): Promise<boolean> {
  return await files.lstat(path).then(
    () => true,
    () => false,
  );
}
