/** Where a path of the source's leads: to a name in a granted folder, or nowhere. */
import { limits } from "@troupe/protocol";
import { fileErrors } from "./errors.ts";
import type { FileGrant } from "./file-grants.ts";

/** The longest path that systems take. */
const PATH_BYTES = 4_096;

/** A place in a granted folder. */
export interface GrantedPlace {
  /** As the source says it, whole and plain. */
  readonly path: string;
  readonly grant: FileGrant;
  /** From the folder on, each plain; none: the folder itself. */
  readonly names: readonly string[];
}

/**
 * Finds it. "." and ".." are taken out of the text, and never reach the system; since no link is followed, that is what they mean.
 * Throws `files.*`.
 */
export function placeOf(given: unknown, grants: readonly FileGrant[]): GrantedPlace {
  // Half a character would be another name on the disk.
  if (typeof given !== "string" || given === "" || given.includes("\0") || !given.isWellFormed())
    throw fileErrors.badPath(typeof given === "string" ? given.slice(0, 64).toWellFormed() : typeof given);
  if (Buffer.byteLength(given) > PATH_BYTES) throw fileErrors.pathTooLong(given);
  const names: string[] = [];
  for (const name of given.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  if (names.length > limits.isolateFileDepth) throw fileErrors.pathTooLong(given);
  const path = `/${names.join("/")}`;
  const grant = grants.find((one) => path === one.path || path.startsWith(`${one.path}/`));
  if (grant === undefined) throw fileErrors.denied(path);
  return { path, grant, names: names.slice(grant.path.split("/").length - 1) };
}

/** The same, where something is to be changed. Throws `files.EROFS` as well. */
export function writablePlaceOf(given: unknown, grants: readonly FileGrant[]): GrantedPlace {
  const place = placeOf(given, grants);
  if (place.grant.mode !== "read-write") throw fileErrors.readOnly(place.path);
  return place;
}
