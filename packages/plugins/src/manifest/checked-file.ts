/**
 * Checked file: what a manifest names, opened and compared with its digest.
 *
 * A name can mean another file a moment later. So the digest is that of bytes read through the opened file, and those
 * bytes, not the name, are what a carrier runs. No part of the way may be a link: what is in a plugin's folder is the plugin.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { lacksDescriptors, tooManyOpenFiles } from "@troupe/runtime/process";
import { readBounded } from "../bounded-file.ts";
import { fileErrors } from "../errors.ts";
import { pinErrors } from "./errors.ts";

/** A file that a key of a manifest names. */
export interface NamedFile {
  readonly origin: Origin;
  /** `load.library`. */
  readonly key: string;
  /** Relative to the origin's folder, as the rules of manifests allow. */
  readonly path: string;
  readonly sha256: string | undefined;
}

/** Where a plugin's description comes from. */
export interface Origin {
  /** The manifest's path, or what stands for it in errors. */
  readonly file: string;
  /** The folder that the plugin's paths are relative to. */
  readonly folder: string;
  /** The digests were taken by the host's user, of the plugin of this id. Default: the manifest says them itself. */
  readonly pinned?: string;
}

/** A file that is there and is what the manifest speaks of. */
export interface CheckedFile {
  readonly path: string;
  /** What was checked; nothing where the manifest has no digest. */
  readonly bytes: Uint8Array | undefined;
}

/** Checks a file. Throws `plugin.file_*`, `storage.too_many_open_files`, and `plugin.integrity_mismatch` or `plugin.pin_mismatch`. */
export async function checkFile(named: NamedFile): Promise<CheckedFile> {
  const path = await findFile(named);
  if (named.sha256 === undefined) return { path, bytes: undefined };
  const bytes = await readOpened(named, path, limits.pluginLibraryBytes);
  checkDigest(named, path, bytes);
  return { path, bytes };
}

/** Reads a file of at most `limit` bytes, and compares its digest where there is one. Throws as `checkFile` does. */
export async function readNamedFile(
  named: NamedFile,
  limit: number,
): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  const path = await findFile(named);
  const bytes = await readOpened(named, path, limit);
  checkDigest(named, path, bytes);
  return { path, bytes };
}

/** The digest that a manifest speaks of: SHA-256, hexadecimal. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function checkDigest({ origin, sha256 }: NamedFile, path: string, bytes: Uint8Array): void {
  if (sha256 === undefined) return;
  const found = digestOf(bytes);
  if (found === sha256) return;
  const digests = { expected: sha256, found };
  if (origin.pinned !== undefined) throw pinErrors.mismatch(origin.pinned, path, digests);
  throw fileErrors.changed(origin.file, path, digests);
}

/** Walks from the folder to the file. The folder itself may be reached by links: the user named it. */
async function findFile({ origin, key, path }: NamedFile): Promise<string> {
  const names = path.split("/");
  let place = origin.folder;
  for (const [index, name] of names.entries()) {
    place = join(place, name);
    const stats = await lstat(place).catch((cause: unknown) => {
      throw isMissing(cause)
        ? fileErrors.missing(origin.file, key, place)
        : unreadable({ origin, key }, place, cause);
    });
    if (stats.isSymbolicLink()) throw fileErrors.notPlain(origin.file, key, place, "a link");
    if (index < names.length - 1 ? !stats.isDirectory() : !stats.isFile())
      throw fileErrors.notPlain(origin.file, key, place, "something else");
  }
  return place;
}

async function readOpened({ origin, key }: NamedFile, path: string, limitBytes: number): Promise<Uint8Array> {
  const tooLarge = (): Error => fileErrors.tooLarge(path, limitBytes);
  return await readBounded(path, { limitBytes, tooLarge, flags: constants.O_NOFOLLOW }).catch(
    (cause: unknown) => {
      throw TroupeError.is(cause) ? cause : unreadable({ origin, key }, path, cause);
    },
  );
}

function unreadable(
  { origin, key }: Pick<NamedFile, "origin" | "key">,
  path: string,
  cause: unknown,
): TroupeError {
  return lacksDescriptors(cause)
    ? tooManyOpenFiles(cause)
    : fileErrors.unreadable(origin.file, key, path, cause);
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR");
}
