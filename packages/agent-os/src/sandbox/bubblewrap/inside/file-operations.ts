/**
 * Files of a sandbox, for the runtime. All of it runs inside: a path leads where it leads for the sandbox's own processes, through
 * whatever links they have made, and to nothing of the host's.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Question } from "./messages.ts";

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
  switch (question.kind) {
    case "readFile":
      return { body: readWhole(path, most) };
    case "writeFile":
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, body);
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
      mkdirSync(path, { recursive: question.recursive });
      return {};
    case "remove":
      if (question.recursive) rmSync(path, { recursive: true });
      else if (lstatSync(path).isDirectory()) rmdirSync(path);
      else unlinkSync(path);
      return {};
    case "move":
      mkdirSync(dirname(question.to), { recursive: true });
      renameSync(path, question.to);
      return {};
  }
}

/** A device or a pipe has no end, and a file with holes is longer than a disk. */
function readWhole(path: string, most: number): Uint8Array {
  const stat = statSync(path);
  if (stat.isDirectory()) throw systemError("EISDIR", `illegal operation on a directory, read '${path}'`);
  if (!stat.isFile()) throw systemError("EINVAL", `'${path}' is no file`);
  if (stat.size > most) throw systemError("EFBIG", `'${path}' is longer than ${most} bytes`);
  return readFileSync(path);
}

/** An error with a system's name. */
export function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

function typeOf(entry: { isDirectory(): boolean; isSymbolicLink(): boolean }): string {
  if (entry.isSymbolicLink()) return "symlink";
  return entry.isDirectory() ? "directory" : "file";
}
