/**
 * `backup.json`: what a backup consists of. It is written last, and names every file with its size and digest; the rest of
 * the folder is laid out as a data folder is.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { backupErrors } from "../../../backup-errors.ts";
import { dataErrors } from "../data-errors.ts";
import { fileError, replaceFile } from "../files.ts";
import { LAYOUT_VERSION } from "../manifest.ts";
import { OWN_FOLDER, OWN_NAME, SHARD_NAME } from "../shard-name.ts";
import { backupLimits } from "./limits.ts";

/** The format that this code writes. */
export const BACKUP_FORMAT = 1;

/** A file of a backup. */
export interface ListedFile {
  /** Below the folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly digest: string;
}

/** The list. */
export interface BackupList {
  readonly format: number;
  /** The layout of the data. */
  readonly layout: number;
  /** Wall clock, ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly files: readonly ListedFile[];
}

const NAME = "backup.json";

/** Writes it, durably. */
export function writeList(folder: string, list: Omit<BackupList, "format" | "layout">): void {
  const { files, ...times } = list;
  const head = JSON.stringify({ format: BACKUP_FORMAT, layout: LAYOUT_VERSION, ...times }).slice(0, -1);
  // A line for each file: people look into it, and compare two.
  const lines = files.map((file) => JSON.stringify(file)).join(",\n");
  replaceFile(join(folder, NAME), `${head},"files":[\n${lines}\n]}\n`);
}

/** Throws `backup.not_a_backup`, `backup.newer_format`, `storage.newer_layout`. */
export function readList(folder: string): BackupList {
  const path = join(folder, NAME);
  const value = parse(folder, textOf(folder, path));
  const format = numberOf(folder, value, "format");
  if (format > BACKUP_FORMAT) throw backupErrors.newer(folder, format, BACKUP_FORMAT);
  const layout = numberOf(folder, value, "layout");
  if (layout > LAYOUT_VERSION) throw dataErrors.newer(folder, layout, LAYOUT_VERSION);
  const listed: unknown = Reflect.get(value, "files");
  if (!Array.isArray(listed)) throw backupErrors.noBackup(folder, `${NAME} lists no files`);
  const files = listed.map((file: unknown) => fileOf(folder, file));
  if (!files.some(({ path: name }) => name === "manifest.json"))
    throw backupErrors.noBackup(folder, `${NAME} lists no manifest.json`);
  return { format, layout, files, startedAt: timeOf(value, "startedAt"), endedAt: timeOf(value, "endedAt") };
}

function textOf(folder: string, path: string): string {
  try {
    if (statSync(path).size > backupLimits.listBytes)
      throw backupErrors.noBackup(folder, `${NAME} is too long`);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw backupErrors.noBackup(folder, `it has no ${NAME}, which is written last`);
    throw fileError(path, error);
  }
}

function parse(folder: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Falls through: not JSON is as damaged as the wrong JSON.
  }
  throw backupErrors.noBackup(folder, `${NAME} is not a JSON object`);
}

function numberOf(folder: string, value: object, name: string): number {
  const found: unknown = Reflect.get(value, name);
  if (typeof found === "number" && Number.isSafeInteger(found) && found >= 1) return found;
  throw backupErrors.noBackup(folder, `${NAME} has no "${name}"`);
}

function timeOf(value: object, name: string): string {
  return String(Reflect.get(value, name));
}

function fileOf(folder: string, value: unknown): ListedFile {
  if (
    typeof value === "object" &&
    value !== null &&
    "path" in value &&
    "bytes" in value &&
    "digest" in value
  ) {
    const { path, bytes, digest } = value;
    if (typeof path === "string" && typeof bytes === "number" && typeof digest === "string" && isOurs(path))
      return { path, bytes, digest };
  }
  throw backupErrors.noBackup(folder, `${NAME} lists what is no file of a data folder`);
}

/** Nothing else is ever written by a restore, wherever its list is from. */
function isOurs(path: string): boolean {
  const [folder, name, ...more] = path.split("/");
  if (name === undefined)
    return path === "manifest.json" || path === "catalogue.json" || SHARD_NAME.test(path);
  return folder === OWN_FOLDER && OWN_NAME.test(name) && more.length === 0;
}
