/**
 * Look: how all of a sandbox's files are at a moment: each one's identity, size and time of change, which no process can set.
 *
 * What is on another file system (the host's programs, /proc, /dev) is no file of the sandbox, and neither are sockets, pipes and devices. What
 * can't be stored is named beside the look, where it has what was stored of it, or nothing.
 */
import { type BigIntStats, lstatSync } from "node:fs";
import type { UnsavedPath } from "./messages.ts";
import { opened } from "./opened.ts";
import { codeOf } from "./system-error.ts";
import { type Names, namesIn } from "./text-names.ts";

/** How each path looked: two that are equal are the same. Parents come before what is in them. */
export type Pictures = Map<string, string>;

/** How much there may be. */
export interface TreeLimits {
  readonly fileBytes: number;
  readonly files: number;
}

/** A look. */
export interface Look {
  readonly found: Pictures;
  readonly unsaved: UnsavedPath[];
}

/** What the kernel gives a file at a time, also the next sandbox's when it begins with what is stored. */
const PAGE = 4_096;
/** A link's target from this length on takes one. */
const LONG_TARGET = 128;

/** Looks at everything. `kept` is what is stored. */
export function lookAtAll(
  bounds: TreeLimits,
  left: ReadonlySet<string>,
  kept: ReadonlyMap<string, string>,
): Look {
  const { dev } = lstatSync("/", { bigint: true });
  const found: Pictures = new Map([["/", "root"]]);
  const unsaved: UnsavedPath[] = [];
  const enter = (directory: string): boolean => {
    const at = directory === "/" ? "" : directory;
    const { text, wrong } = namesOf(directory);
    for (const name of wrong) unsaved.push({ path: `${at}/${name}`, code: "EILSEQ" });
    return text.toSorted().every((name) => {
      const path = `${at}/${name}`;
      const stat = left.has(path) ? undefined : statOf(path, unsaved);
      if (stat === undefined || stat.dev !== dev || !isKind(stat)) return true;
      found.set(path, pictureOf(stat));
      return found.size <= bounds.files && (!stat.isDirectory() || enter(path));
    });
  };
  if (!enter("/")) return { found: new Map(kept), unsaved: [{ path: "/", code: "EDQUOT" }, ...unsaved] };
  makeFit(found, unsaved, kept, bounds.fileBytes);
  return { found, unsaved };
}

/** It is as it was when it was stored, or isn't there. */
export function leaveOut(found: Pictures, path: string, kept: ReadonlyMap<string, string>): void {
  const before = kept.get(path);
  if (before === undefined) found.delete(path);
  else found.set(path, before);
}

/** How long a file was. */
export function lengthIn(picture: string | undefined): number {
  return picture === undefined || picture.startsWith("d ") ? 0 : Number(picture.split(" ")[2] ?? 0);
}

/** True when somebody has removed it meanwhile, or something else is in its place. */
export function isGone(cause: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(codeOf(cause));
}

/**
 * What the next sandbox would have no room for isn't stored: files with holes, and second names of one, are longer together than what they take now.
 * The largest goes first, so that most of them are.
 */
function makeFit(
  found: Pictures,
  unsaved: UnsavedPath[],
  kept: ReadonlyMap<string, string>,
  most: number,
): void {
  let bytes = 0;
  for (const picture of found.values()) bytes += roomOf(picture);
  if (bytes <= most) return;
  const changed = [...found].filter(([path, picture]) => kept.get(path) !== picture);
  for (const [path, picture] of changed.toSorted(([, a], [, b]) => roomOf(b) - roomOf(a))) {
    const less = roomOf(picture) - roomOf(kept.get(path));
    if (bytes <= most) return;
    if (less <= 0) continue;
    bytes -= less;
    leaveOut(found, path, kept);
    unsaved.push({ path, code: "EDQUOT" });
  }
}

function roomOf(picture: string | undefined): number {
  const length = lengthIn(picture);
  if (picture?.startsWith("l ") === true && length < LONG_TARGET) return 0;
  return Math.ceil(length / PAGE) * PAGE;
}

function statOf(path: string, unsaved: UnsavedPath[]): BigIntStats | undefined {
  try {
    return opened(path, 0, () => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
  } catch (cause) {
    if (isGone(cause)) return undefined;
    if (codeOf(cause) !== "ENAMETOOLONG") throw cause;
    unsaved.push({ path, code: "ENAMETOOLONG" });
    return undefined;
  }
}

function isKind(stat: BigIntStats): boolean {
  return stat.isFile() || stat.isDirectory() || stat.isSymbolicLink();
}

/** A directory changes with its mode alone: what is in it is looked at by itself. */
function pictureOf(stat: BigIntStats): string {
  if (stat.isDirectory()) return `d ${stat.mode} ${stat.ino}`;
  const kind = stat.isSymbolicLink() ? "l" : "f";
  return `${kind} ${stat.mode} ${stat.size} ${stat.ino} ${stat.ctimeNs}`;
}

function namesOf(directory: string): Names {
  try {
    return opened(directory, 0o700, () => namesIn(directory));
  } catch (cause) {
    if (isGone(cause)) return { text: [], wrong: [] };
    throw cause;
  }
}
