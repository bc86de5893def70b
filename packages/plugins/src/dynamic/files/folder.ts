/**
 * Folder: a granted folder, or one below it, held open, so that what is done in it can't be led elsewhere.
 *
 * A path of several names is never given to the system: somebody could put a link in the place of a folder between the look at it
 * and its use. Each folder on the way is opened by its one name in the open folder above it, without following a link
 * (`openat` with O_NOFOLLOW), and what is done in the last is done by one name again. Whoever moves or replaces a folder meanwhile changes
 * where names lead, and not what is open.
 *
 * Linux has open folders as paths, /proc/self/fd/n, which the system follows to the folder itself, wherever that is now. macOS hasn't;
 * there whole paths are given, and O_NOFOLLOW_ANY refuses to open what has a link anywhere in its path. That holds for what is opened. What
 * is made, removed and renamed there is in a folder that was opened so a moment before: a link that another program of the machine puts
 * in its place in that moment is followed. The source itself can't make links.
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, failureOf, fileErrors } from "./errors.ts";
import type { GrantedPlace } from "./granted-place.ts";

/** macOS' own: no part of the path may be a link. */
const O_NOFOLLOW_ANY = 0x2000_0000;
const hasOpenFolders = process.platform === "linux";

/** For whatever is opened in a folder: nothing waits for the other end of a pipe, and no terminal becomes this process's. */
export const IN_FOLDER =
  constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY | (hasOpenFolders ? 0 : O_NOFOLLOW_ANY);
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;

/** An open folder. */
export class Folder implements AsyncDisposable {
  /** It, for the system, as long as it is open. */
  readonly self: string;
  /** It, for the source. */
  readonly path: string;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, self: string, path: string) {
    this.#handle = handle;
    this.self = hasOpenFolders ? `/proc/self/fd/${handle.fd}` : self;
    this.path = path;
  }

  /** Opens the folder of a grant: whatever its program says it is, links and all. Rejects with `files.ENODEV`. */
  static async root({ grant: { path, hostPath } }: GrantedPlace): Promise<Folder> {
    try {
      const real = await realpath(hostPath);
      return new Folder(await open(real, FOLDER), real, path);
    } catch (cause) {
      throw fileErrors.unopened(path, cause);
    }
  }

  /** Opens a folder in it. Rejects with `files.ENOENT`, `files.ENOTDIR`, `files.ELOOP`. */
  async child(name: string): Promise<Folder> {
    const path = this.pathOf(name);
    const entry = this.entry(name);
    try {
      return new Folder(await open(entry, FOLDER | IN_FOLDER), entry, path);
    } catch (cause) {
      // For a link the system says either.
      const isLink =
        codeOf(cause) === "ENOTDIR" && (await lstat(entry).catch(() => undefined))?.isSymbolicLink();
      throw isLink || codeOf(cause) === "ELOOP" ? fileErrors.link(path) : failureOf(path, cause);
    }
  }

  /** Makes a folder in it. */
  async make(name: string): Promise<void> {
    try {
      await mkdir(this.entry(name));
    } catch (cause) {
      throw failureOf(this.pathOf(name), cause);
    }
  }

  /** What has that name in it, for the system. */
  entry(name: string): string {
    return join(this.self, name);
  }

  /** The same, for the source. */
  pathOf(name: string): string {
    return `${this.path}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Does something in the folder of a place's last name. */
export async function inFolder<T>(
  place: GrantedPlace,
  act: (folder: Folder, name: string) => Promise<T>,
): Promise<T> {
  const name = place.names.at(-1);
  if (name === undefined) throw fileErrors.root(place.path);
  return await atFolder({ ...place, names: place.names.slice(0, -1) }, async (folder) => {
    try {
      return await act(folder, name);
    } catch (cause) {
      throw failureOf(place.path, cause);
    }
  });
}

/** Does something with the folder that a place is. */
export async function atFolder<T>(place: GrantedPlace, act: (folder: Folder) => Promise<T>): Promise<T> {
  let folder = await Folder.root(place);
  try {
    for (const name of place.names) {
      await using above = folder;
      folder = await above.child(name);
    }
    return await act(folder);
  } finally {
    await folder[Symbol.asyncDispose]();
  }
}
