/**
 * Place checks: just-bash's file system in memory puts anything anywhere, also below a file, or a file where a directory is, and makes the
 * directories on the way. What is below something that is no directory is in no listing, and the next save would lose it. So what Linux refuses is refused here, of each
 * method that puts something somewhere, for operations and commands alike.
 */
import type { IFileSystem } from "just-bash";

/** Looks at a method's arguments, whose paths have been led through links. Rejects with what Linux says: "ENOTDIR: …". */
export type PlaceCheck = (files: Look, args: readonly unknown[]) => Promise<void>;

type Look = Pick<IFileSystem, "lstat" | "stat" | "readdir">;
type Kind = "directory" | "link" | "file";

/** A file is put there, or written to. */
export const forFile: PlaceCheck = async (files, [path]) => {
  if (typeof path !== "string") return;
  await checkAbove(files, path);
  if ((await kindOf(files, path)) === "directory") throw says("EISDIR", path);
};

/** A directory is made there; with `recursive` one may be there. */
export const forDirectory: PlaceCheck = async (files, [path, options]) => {
  if (typeof path !== "string") return;
  const makesAll = isRecursive(options);
  await checkAbove(files, path, makesAll);
  if (!makesAll || (await kindOf(files, path)) !== "link") return;
  const leadsToDirectory = await files.stat(path).then(
    ({ isDirectory }) => isDirectory,
    () => false,
  );
  if (!leadsToDirectory) throw says("EEXIST", path);
};

/** A name is made there; that there is none yet is looked at by the file system itself. */
export const forName: PlaceCheck = async (files, [, path]) => {
  if (typeof path === "string") await checkAbove(files, path);
};

/** A copy is put there. Of a directory it may be one with what is there. */
export const forCopy: PlaceCheck = async (files, [from, to]) => {
  if (typeof from !== "string" || typeof to !== "string") return;
  await checkAbove(files, to);
  const [copied, there] = [await kindOf(files, from), await kindOf(files, to)];
  if (copied === undefined || there === undefined) return;
  if (copied !== "directory" && there === "directory") throw says("EISDIR", to);
  if (copied === "directory" && there !== "directory") throw says("ENOTDIR", to);
};

/** It is moved there, in the place of what is there: a directory in that of an empty one. */
export const forMoved: PlaceCheck = async (files, [from, to]) => {
  await forCopy(files, [from, to]);
  if (typeof from !== "string" || typeof to !== "string" || from === to) return;
  if ((await kindOf(files, from)) !== "directory" || (await kindOf(files, to)) !== "directory") return;
  if ((await files.readdir(to)).length > 0) throw says("ENOTEMPTY", to);
};

/** The directory above is there, or one above that if all on the way will be made. */
async function checkAbove(files: Look, path: string, makesAll = false): Promise<void> {
  const first = path.lastIndexOf("/");
  for (let cut = first; cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
    const kind = await kindOf(files, path.slice(0, cut));
    if (kind === undefined) continue;
    if (kind === "file") throw says("ENOTDIR", path);
    // A link leads nowhere.
    if (kind === "link" || (cut < first && !makesAll)) throw says("ENOENT", path);
    return;
  }
  // The root is always there.
  if (first > 0 && !makesAll) throw says("ENOENT", path);
}

async function kindOf(files: Look, path: string): Promise<Kind | undefined> {
  const stat = await files.lstat(path).catch(() => undefined);
  if (stat === undefined) return undefined;
  if (stat.isSymbolicLink) return "link";
  return stat.isDirectory ? "directory" : "file";
}

const words = {
  ENOTDIR: "not a directory",
  EISDIR: "illegal operation on a directory",
  EEXIST: "file already exists",
  ENOENT: "no such file or directory",
  ENOTEMPTY: "directory not empty",
};

function says(code: keyof typeof words, path: string): Error {
  return new Error(`${code}: ${words[code]}, '${path}'`);
}

function isRecursive(options: unknown): boolean {
  return (
    typeof options === "object" && options !== null && "recursive" in options && options.recursive === true
  );
}
