/**
 * Files of a sandbox, for the runtime. All of it runs inside: a path leads where it leads for the sandbox's own processes, through
 * whatever links they have made, and to nothing of the host's.
 *
 * One operation runs at a time, in the order of the questions, on the thread that does everything else too. So none may wait for a
 * process of the sandbox: nothing is opened that could (a pipe that nobody reads, a lease that somebody has), and nothing is read without an end.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { makeDirectories, makeParents } from "./make-directories.ts";
import type { Question } from "./messages.ts";
import { codeOf, systemError } from "./system-error.ts";

/** Read at once of what doesn't say how long it is. */
const PIECE = 64 * 1024;
/** What a file has of a disk is counted in these. */
const BLOCK = 512;

/** What a question about files is answered with; bytes are the frame's body. */
export interface FileAnswer {
  readonly result?: unknown;
  readonly body?: Uint8Array;
}

/** The kinds of questions that are answered here. */
export type FileQuestion = Extract<
  Question,
  {
    readonly kind: "readFile" | "stat" | "exists" | "readdir" | "writeFile" | "mkdir" | "remove" | "move";
  }
>;

/** Does it. Throws what the system says. */
export function answerAboutFiles(question: FileQuestion, body: Uint8Array, most: number): FileAnswer {
  const { path } = question;
  if (question.kind !== "exists") checkPath(path);
  if (question.kind === "move") checkPath(question.to);
  switch (question.kind) {
    case "readFile":
      return { body: readWhole(path, most) };
    case "writeFile":
      makeParents(path);
      writeWhole(path, body);
      return {};
    case "stat": {
      const stat = statSync(path);
      const { size, mtimeMs } = stat;
      return { result: { type: typeOf(stat), size, mode: stat.mode & 0o7777, modifiedAt: mtimeMs } };
    }
    case "exists":
      return { result: existsSync(path) };
    case "readdir": {
      const entries = readdirSync(path, { withFileTypes: true });
      const named = entries.map((entry) => ({ name: entry.name, type: typeOf(entry) }));
      return { result: named.sort((a, b) => (a.name < b.name ? -1 : 1)) };
    }
    case "mkdir":
      if (question.recursive) makeDirectories(path);
      else mkdirSync(path);
      return {};
    case "remove":
      if (question.recursive) removeAll(path);
      else if (lstatSync(path).isDirectory()) rmdirSync(path);
      else unlinkSync(path);
      return {};
    case "move":
      makeParents(question.to);
      renameSync(path, question.to);
      return {};
  }
}

/** Of a read-only file system, and of one that is in use, Node says neither code nor name: one step tells. */
function removeAll(path: string): void {
  try {
    rmSync(path, { recursive: true });
  } catch (cause) {
    if (codeOf(cause) !== "") throw cause;
    if (lstatSync(path).isDirectory()) rmdirSync(path);
    else unlinkSync(path);
  }
}

/** Throws what the system would say of it: Node has a name of its own for that. */
export function checkPath(path: string): void {
  if (path.includes("\0")) throw systemError("EINVAL", `a path has no null byte, '${path}'`);
  // Half of a character has no bytes: it would be another file.
  if (!path.isWellFormed()) throw systemError("EINVAL", `a path is Unicode text, '${path.toWellFormed()}'`);
}

/** A file with holes is longer than a disk, and one of /proc doesn't say how long it is. */
function readWhole(path: string, most: number): Uint8Array {
  return withFile(path, constants.O_RDONLY, (file, size) => {
    const pieces: Buffer[] = [];
    for (let bytes = 0, room = size > 0 ? size + 1 : PIECE; bytes <= most && size <= most; room = PIECE) {
      const piece = Buffer.allocUnsafeSlow(room);
      const read = readSync(file, piece);
      if (read === 0) return Buffer.concat(pieces);
      bytes += read;
      pieces.push(piece.subarray(0, read));
    }
    throw systemError("EFBIG", `'${path}' is longer than ${most} bytes`);
  });
}

/**
 * All of it, or what was there stays: where there is no room for it the file is as it was, and one that wasn't there isn't. So room is
 * found first, for what is longer than before and in place of holes, and then what was there is written over.
 */
function writeWhole(path: string, content: Uint8Array): void {
  const isNew = !existsSync(path);
  try {
    withFile(path, constants.O_WRONLY | constants.O_CREAT, (file, size) => {
      const kept = Math.min(size, content.length);
      try {
        writeAt(file, content.subarray(kept), size);
        fillHoles(file, kept);
      } catch (cause) {
        ftruncateSync(file, size);
        throw cause;
      }
      writeAt(file, content, 0);
      ftruncateSync(file, content.length);
    });
  } catch (cause) {
    if (isNew) removeMade(path);
    throw cause;
  }
}

/** Where the path leads: a link that led nowhere stays one. */
function removeMade(path: string): void {
  try {
    unlinkSync(realpathSync(path));
  } catch {
    // Nothing was made.
  }
}

function writeAt(file: number, content: Uint8Array, position: number): void {
  for (let at = 0; at < content.length; ) at += writeSync(file, content, at, undefined, position + at);
}

/** What it has is written again, where it has no room of its own for all of it. */
function fillHoles(file: number, length: number): void {
  const { blocks, size } = fstatSync(file);
  if (blocks * BLOCK >= size) return;
  const piece = Buffer.allocUnsafe(PIECE);
  // The same file, whatever its path leads to by now.
  const source = openSync(`/proc/self/fd/${file}`, constants.O_RDONLY);
  try {
    for (let at = 0, read = 1; at < length && read > 0; at += read) {
      read = readSync(source, piece, 0, Math.min(PIECE, length - at), at);
      writeAt(file, piece.subarray(0, read), at);
    }
  } finally {
    closeSync(source);
  }
}

/**
 * Opens a file, and nothing else: to open a device or a pipe may take until somebody comes, and does something to who is at its other end. It is
 * looked at before, and once more when it is open: the path may have become something else.
 */
function withFile<R>(path: string, flags: number, use: (file: number, size: number) => R): R {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined) checkFile(path, there);
  const file = openSync(path, flags | constants.O_NONBLOCK | constants.O_NOCTTY, 0o666);
  try {
    const stat = fstatSync(file);
    checkFile(path, stat);
    return use(file, stat.size);
  } finally {
    closeSync(file);
  }
}

function checkFile(path: string, stat: { isFile(): boolean; isDirectory(): boolean }): void {
  if (stat.isDirectory()) throw systemError("EISDIR", `illegal operation on a directory, open '${path}'`);
  if (!stat.isFile()) throw systemError("EINVAL", `'${path}' is a pipe, socket or device, and no file`);
}

function typeOf(entry: { isDirectory(): boolean; isSymbolicLink(): boolean }): string {
  if (entry.isSymbolicLink()) return "symlink";
  return entry.isDirectory() ? "directory" : "file";
}
