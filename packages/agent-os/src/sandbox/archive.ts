/**
 * A sandbox's files as one tar, and back.
 *
 * An archive may come from anybody. It is read in memory, and taken only as a whole: a path that climbs, a file in a file's
 * place or through a link, a device, a name that no real file system takes, more bytes or entries than a sandbox may have, and nothing of it is.
 */
import { setImmediate } from "node:timers/promises";
import { limits } from "@troupe/protocol";
import { packTar, type TarHeader, unpackTar } from "modern-tar";
import { sandboxErrors } from "../errors.ts";
import { isDevice } from "./devices.ts";
import { checkPath } from "./embedded/path-names.ts";
import type { ImageChanges, ImageEntry } from "./file-store.ts";
import { partsOf } from "./tar-headers.ts";
import { nameNotUtf8 } from "./tar-names.ts";
import { inTurns } from "./turns.ts";
import { removedBy, whiteoutOf } from "./whiteout.ts";

/** Of a tar. */
const BLOCK_BYTES = 512;
/** What an archive ends with: two empty blocks. */
const END_BYTES = 1_024;
/** What a file begins with that was compressed. */
const GZIP = [0x1f, 0x8b] as const;
/** Of headers: files, links, devices, directories, and what is said of the entry behind it. Others are GNU's volumes and dumps, or nobody's. */
const KNOWN_TYPES = "\0" + "01234567xgLK";
/** What pax headers call a file with holes, whose data begins with where they are. */
const SPARSE = "GNU.sparse.";
const REMOVED: ImageEntry = { type: "removed", given: true };

/** Packs files, and what is removed of what an empty sandbox has. Rejects with `sandbox.archive_too_large`. */
export async function packImage(image: ImageChanges, maxBytes: number): Promise<Uint8Array> {
  const pages: Uint8Array[] = [];
  let bytes = END_BYTES;
  for await (const page of inTurns(image)) {
    const entries = page.flatMap(([path, entry]) => {
      if ((entry.type === "removed" && !entry.given) || isDevice(path)) return [];
      const body = entry.type === "file" ? { body: entry.content } : {};
      return [{ header: headerOf(path.slice(1), entry), ...body }];
    });
    // Before anything is copied; what the headers add is looked at behind it.
    const contents = entries.reduce((sum, { header }) => sum + header.size, 0);
    if (bytes + contents > maxBytes) throw sandboxErrors.archiveTooLarge(maxBytes);
    const packed = await packTar(entries);
    bytes += packed.byteLength - END_BYTES;
    if (bytes > maxBytes) throw sandboxErrors.archiveTooLarge(maxBytes);
    pages.push(packed.subarray(0, -END_BYTES));
  }
  return Uint8Array.from(Buffer.concat([...pages, new Uint8Array(END_BYTES)]));
}

/** Unpacks files, parents first. Rejects with `sandbox.archive_invalid`, `sandbox.archive_too_large`. */
export async function unpackImage(tar: Uint8Array): Promise<ImageChanges> {
  const image = new Map<string, ImageEntry>();
  let bytes = 0;
  for await (const page of inTurns(await entriesOf(tar))) {
    for (const { header, data } of page) {
      const removed = removedBy(header);
      const path = pathOf(removed ?? header.name);
      if (path === "/" || isDevice(path)) continue;
      const entry = removed === undefined ? entryOf(header, data, image) : REMOVED;
      bytes += entry.type === "file" ? entry.content.byteLength : 0;
      // What is removed needs nothing above it, nor is it in the way of that.
      if (entry !== REMOVED) addParents(image, path);
      const before = image.get(path);
      if (before !== undefined && before.type !== entry.type)
        throw sandboxErrors.archiveInvalid(`${path} is in it twice`);
      image.set(path, entry);
      if (bytes > limits.sandboxFileBytes) throw sandboxErrors.archiveTooLarge(limits.sandboxFileBytes);
      if (image.size > limits.sandboxArchiveEntries)
        throw sandboxErrors.batchTooLarge("the archive", limits.sandboxArchiveEntries);
    }
  }
  return [...image].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A tar, so much at a time that everybody else has a turn when as many entries as that were read. */
function inPages(tar: Uint8Array): ReadableStream<Uint8Array> {
  const bytes = limits.sandboxTurnPaths * BLOCK_BYTES;
  let at = 0;
  return new ReadableStream({
    pull: async (controller) => {
      await setImmediate();
      if (at >= tar.byteLength) return controller.close();
      controller.enqueue(tar.subarray(at, at + bytes));
      at += bytes;
    },
  });
}

async function entriesOf(tar: Uint8Array) {
  if (tar[0] === GZIP[0] && tar[1] === GZIP[1])
    throw sandboxErrors.archiveInvalid("it is gzip: unpack that first (gunzip)");
  const entries = await unpackTar(inPages(Uint8Array.from(tar)), { strict: true }).catch((cause: unknown) => {
    throw sandboxErrors.archiveInvalid(cause instanceof Error ? cause.message : "it is no tar");
  });
  if (entries.some(({ header }) => `${header.name}${header.linkname ?? ""}`.includes("\ufffd"))) {
    const name = nameNotUtf8(tar);
    if (name !== undefined) throw sandboxErrors.archiveInvalid(`${shown(name)} is no name in UTF-8`);
  }
  checkTypes(tar);
  return entries;
}

/** Who unpacks the tar takes what it doesn't know for a file with what follows, which is part of one at best. */
function checkTypes(tar: Uint8Array): void {
  for (const { type, field } of partsOf(tar)) {
    const name = shown(String(field("name")));
    if (type === "S") throw sparse(name);
    if (!KNOWN_TYPES.includes(type))
      throw sandboxErrors.archiveInvalid(`${name} is of the type '${type}', which isn't known`);
  }
}

function sparse(name: string): Error {
  return sandboxErrors.archiveInvalid(`${shown(name)} is sparse: make the tar without -S`);
}

function headerOf(name: string, entry: ImageEntry): TarHeader {
  switch (entry.type) {
    case "file":
      return {
        name,
        type: "file",
        size: entry.content.byteLength,
        mode: entry.mode & 0o7777,
        mtime: new Date(entry.modifiedAt),
      };
    case "directory":
      return {
        name: `${name}/`,
        type: "directory",
        size: 0,
        mode: entry.mode & 0o7777,
        mtime: new Date(entry.modifiedAt),
      };
    case "symlink":
      return { name, type: "symlink", size: 0, linkname: entry.target };
    case "removed":
      return whiteoutOf(name);
  }
}

function entryOf(
  { name, type = "file", mode, mtime, linkname, pax = {} }: TarHeader,
  data: Uint8Array = new Uint8Array(),
  before: ReadonlyMap<string, ImageEntry>,
): ImageEntry {
  const modifiedAt = mtime?.getTime() ?? 0;
  if (Number.isNaN(modifiedAt))
    throw sandboxErrors.archiveInvalid(`${shown(name)} has no time that could be`);
  if (Object.keys(pax).some((key) => key.startsWith(SPARSE))) throw sparse(pax[`${SPARSE}name`] ?? name);
  switch (type) {
    case "file":
      return { type, content: Uint8Array.from(data), mode: (mode ?? 0o644) & 0o7777, modifiedAt };
    case "directory":
      return { type, mode: (mode ?? 0o755) & 0o7777, modifiedAt };
    case "symlink":
      return { type, target: targetOf(name, linkname) };
    case "link":
      return linkedOf(name, linkname, before);
    default:
      throw sandboxErrors.archiveInvalid(`${shown(name)} is a ${type}`);
  }
}

/** A hard link's second name: a file of its own with the same content, as it becomes in a sandbox that is saved. The first stands before it. */
function linkedOf(name: string, target = "", before: ReadonlyMap<string, ImageEntry>): ImageEntry {
  const linked = before.get(pathOf(target));
  if (linked?.type === "file") return linked;
  throw sandboxErrors.archiveInvalid(
    `${shown(name)} is a second name of ${shown(target)}, which is no file before it`,
  );
}

/** A path from the root, each part a name. */
function pathOf(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || name.includes("\0"))
    throw sandboxErrors.archiveInvalid(`${shown(name)} climbs out`);
  const path = `/${parts.join("/")}`;
  try {
    checkPath(path);
  } catch {
    throw sandboxErrors.archiveInvalid(`${shown(name)} is longer than a path or a name in it may be`);
  }
  if (parts.length > limits.sandboxArchiveDepth)
    throw sandboxErrors.archiveInvalid(
      `${shown(name)} is more than ${limits.sandboxArchiveDepth} directories deep`,
    );
  return path;
}

/** It need not lead anywhere, but be one that a real file system takes. */
function targetOf(name: string, target = ""): string {
  if (target === "" || target.includes("\0") || Buffer.byteLength(target) > limits.sandboxLinkTargetBytes)
    throw sandboxErrors.archiveInvalid(
      `${shown(name)} is a link with a target of none or of more than ${limits.sandboxLinkTargetBytes} bytes`,
    );
  return target;
}

/** A name in a message. */
function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}

/** Directories that an archive leaves out; none may be something else. What is above one that is there is there. */
function addParents(image: Map<string, ImageEntry>, path: string): void {
  for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
    const parent = path.slice(0, cut);
    const there = image.get(parent);
    if (there?.type === "directory") return;
    if (there !== undefined)
      throw sandboxErrors.archiveInvalid(`${shown(path)} is below what is no directory`);
    image.set(parent, { type: "directory", mode: 0o755, modifiedAt: 0 });
  }
}
