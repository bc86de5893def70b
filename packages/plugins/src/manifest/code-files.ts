/**
 * The code of a plugin's folder: what a program in TypeScript or Python may load beside its entry. Which of it runs nobody knows
 * before it does, so whoever pins such a plugin pins all of it.
 */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "@troupe/protocol";
import { pinErrors } from "./errors.ts";
import type { PluginLoad } from "./load.ts";
import type { PluginManifest } from "./manifest.ts";
import { rules } from "./rules.ts";

/** Their paths, relative to the manifest. None where one file is the program. Throws `plugin.too_many_files`. */
export async function codeFiles({ id, origin, load }: PluginManifest): Promise<readonly string[]> {
  const name = nameOf(load);
  if (name === undefined) return [];
  const files: string[] = [];
  const folders = [""];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const entries = await readdir(join(origin.folder, at), { withFileTypes: true });
    // What is installed there is another's, and pinned by nobody here.
    if (at !== "" && entries.some((entry) => entry.name === "pyvenv.cfg")) continue;
    for (const entry of entries) {
      const path = at === "" ? entry.name : `${at}/${entry.name}`;
      if (isPlaceOfOthers(entry) || !rules.path.test(path)) continue;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() && name.test(entry.name)) files.push(path);
    }
    if (files.length + folders.length > limits.pluginCodeFiles)
      throw pinErrors.tooManyFiles(id, origin.folder, limits.pluginCodeFiles);
  }
  return files.sort();
}

function nameOf(load: PluginLoad): RegExp | undefined {
  if (load.kind === "module") return modules;
  if (load.kind !== "worker") return undefined;
  return load.runtime === "node" ? modules : load.runtime === "python" ? /\.py$/ : undefined;
}

const modules = /\.[cm]?[jt]s$/;

function isPlaceOfOthers({ name }: Dirent): boolean {
  return name.startsWith(".") || name === "node_modules" || name === "__pycache__";
}
