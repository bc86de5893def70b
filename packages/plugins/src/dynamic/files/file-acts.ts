/**
 * What a source does in its granted folders. Each is one act on one name of an open folder (`folder.ts`), bounded in bytes, entries and
 * depth. Files are opened when a look at them has said that they are files, and looked at again when they are open: what is neither a file
 * nor a folder, a pipe or a device, is never read, written or waited for.
 */
import { constants, type Dirent, type Stats } from "node:fs";
import { type FileHandle, lstat, open, opendir, rename, rmdir, unlink } from "node:fs/promises";
import { limits } from "@troupe/protocol";
import { codeOf, fileErrors } from "./errors.ts";
import { atFolder, type Folder, IN_FOLDER, inFolder } from "./folder.ts";
import type { GrantedPlace } from "./granted-place.ts";

/** What is at a place. */
export type EntryKind = "file" | "folder" | "link" | "other";

/** What a write does with what is there: takes its place, goes on behind it, or fails. */
export type WriteHow = "replace" | "append" | "create";

/** What may be removed: a file (or a link, itself), an empty folder, or whatever is there. */
export type RemoveWhat = "file" | "folder" | "all";

/** As the source is told of it. */
export interface EntryStat {
  readonly kind: EntryKind;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
}

/** The bytes of a file, as long as it was when it was opened. */
export function readPlace(place: GrantedPlace): Promise<Uint8Array> {
  return inFile(place, async (folder, name) => {
    checkFile(place.path, await lstat(folder.entry(name)));
    await using file = await open(folder.entry(name), constants.O_RDONLY | IN_FOLDER);
    const { size } = checkFile(place.path, await file.stat());
    if (size > limits.isolateFileBytes) throw fileErrors.tooLong(place.path, limits.isolateFileBytes);
    return await bytesOf(file, size);
  });
}

/** Writes a file. Where that fails or is cut short, what is there is a part of it. */
export function writePlace(place: GrantedPlace, data: Uint8Array, how: WriteHow): Promise<void> {
  return inFile(place, async (folder, name) => {
    const entry = folder.entry(name);
    const before = await lstat(entry).catch((cause: unknown) => {
      if (codeOf(cause) !== "ENOENT") throw cause;
    });
    if (before !== undefined && how !== "create") checkFile(place.path, before);
    const flags = how === "append" ? constants.O_APPEND : how === "create" ? constants.O_EXCL : 0;
    await using file = await open(entry, constants.O_WRONLY | constants.O_CREAT | flags | IN_FOLDER);
    const { size } = checkFile(place.path, await file.stat());
    const length = data.byteLength + (how === "append" ? size : 0);
    if (length > limits.isolateFileBytes) throw fileErrors.tooLong(place.path, limits.isolateFileBytes);
    if (how === "replace") await file.truncate();
    await file.writeFile(data);
  });
}

/** What is in a folder. */
export function listPlace(place: GrantedPlace): Promise<{ name: string; kind: EntryKind }[]> {
  return atFolder(place, async (folder) => {
    const entries: { name: string; kind: EntryKind }[] = [];
    for await (const entry of await opendir(folder.self)) {
      if (entries.length >= limits.isolateFileEntries)
        throw fileErrors.tooMany(place.path, limits.isolateFileEntries);
      entries.push({ name: entry.name, kind: kindOf(entry) });
    }
    return entries;
  });
}

/** What a place is; a link is told as one. */
export async function statPlace(place: GrantedPlace): Promise<EntryStat> {
  if (place.names.length === 0)
    return await atFolder(place, async ({ self }) => statOf(await lstat(`${self}/.`)));
  return await inFolder(place, async (folder, name) => statOf(await lstat(folder.entry(name))));
}

/** Makes a folder, with `recursive` those above it as well: what is there then is no error. */
export async function makePlace(place: GrantedPlace, recursive: boolean): Promise<void> {
  if (!recursive) return await inFolder(place, (folder, name) => folder.make(name));
  await atFolder({ ...place, names: [] }, async (root) => {
    let folder = root;
    try {
      for (const name of place.names) {
        const above = folder;
        folder = await above.child(name).catch(async (cause: unknown) => {
          if (codeOf(cause) !== "ENOENT") throw cause;
          // Somebody may make it at the same time.
          await above.make(name).catch((made: unknown) => {
            if (codeOf(made) !== "EEXIST") throw made;
          });
          return await above.child(name);
        });
        if (above !== root) await above[Symbol.asyncDispose]();
      }
    } finally {
      if (folder !== root) await folder[Symbol.asyncDispose]();
    }
  });
}

/** Removes; with `missing` what isn't there is no error. A link is removed itself, and never what it leads to. */
export async function removePlace(place: GrantedPlace, what: RemoveWhat, missing: boolean): Promise<void> {
  try {
    await inFolder(place, async (folder, name) => {
      const isFolder = (await lstat(folder.entry(name))).isDirectory();
      if (what === "all" && isFolder) return await removeAll(folder, name, limits.isolateFileDepth);
      if (what === "file" && isFolder) throw fileErrors.isFolder(place.path);
      if (what === "folder" && !isFolder) throw fileErrors.notFolder(place.path);
      await (isFolder ? rmdir(folder.entry(name)) : unlink(folder.entry(name)));
    });
  } catch (cause) {
    if (!(missing && codeOf(cause) === "ENOENT")) throw cause;
  }
}

/** Moves what is there to another place, also in another folder of the same disk: what was there goes, as with `rename` of the system. */
export async function renamePlace(from: GrantedPlace, to: GrantedPlace): Promise<void> {
  await inFolder(from, async (folder, name) => {
    await inFolder(to, async (other, newName) => rename(folder.entry(name), other.entry(newName)));
  });
}

/** The granted folder itself is no file. */
async function inFile<T>(place: GrantedPlace, act: (folder: Folder, name: string) => Promise<T>): Promise<T> {
  if (place.names.length === 0) throw fileErrors.isFolder(place.path);
  return await inFolder(place, act);
}

async function removeAll(above: Folder, name: string, depth: number): Promise<void> {
  if (depth === 0) throw fileErrors.tooDeep(above.path);
  await using folder = await above.child(name);
  for await (const entry of await opendir(folder.self)) {
    if (kindOf(entry) === "folder") await removeAll(folder, entry.name, depth - 1);
    else await unlink(folder.entry(entry.name));
  }
  await rmdir(above.entry(name));
}

async function bytesOf(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(bytes, length, size - length);
    // It was made shorter meanwhile.
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/** Throws `files.EISDIR`, `files.ELOOP`, and `files.EINVAL` for a pipe, a socket or a device. */
function checkFile(path: string, stat: Stats): Stats {
  if (stat.isFile()) return stat;
  if (stat.isDirectory()) throw fileErrors.isFolder(path);
  throw stat.isSymbolicLink() ? fileErrors.link(path) : fileErrors.special(path);
}

function kindOf(entry: Dirent | Stats): EntryKind {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "other";
}

function statOf(stat: Stats): EntryStat {
  const { size, mtimeMs, ctimeMs, birthtimeMs } = stat;
  return { kind: kindOf(stat), size, mtimeMs, ctimeMs, birthtimeMs };
}
