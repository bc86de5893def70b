/**
 * Checked modules: Node runs of a plugin's folder only what its manifest has digests of.
 *
 * The source of each module is read once, compared, and handed to the engine: what was compared is what runs, whatever
 * the file's name means a moment later. A module of the folder that has no digest isn't loaded, and what is imported by a
 * relative name must be of the folder, so that a link leads nowhere. Modules of packages elsewhere are the host's.
 */
import { constants, realpathSync } from "node:fs";
import { type LoadFnOutput, type LoadHookContext, type ModuleHooks, registerHooks } from "node:module";
import { extname, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { limits } from "@troupe/protocol";
import { readBoundedSync } from "../../bounded-file.ts";
import { fileErrors } from "../../errors.ts";
import { digestOf } from "../../manifest/checked-file.ts";

/** What may be loaded of a folder. */
export interface CheckedModules {
  /** The manifest's path, for errors. */
  readonly manifest: string;
  readonly folder: string;
  /** SHA-256 by path, relative to the folder. */
  readonly digests: ReadonlyMap<string, string>;
  /** Makes modules of these digests others than those of any other: a text for their addresses. Default: none. */
  readonly tag?: string;
}

/** Holds this process's loader to a folder's digests, until the hooks are deregistered. */
export function checkModules(modules: CheckedModules): ModuleHooks {
  const folder = realpathSync(modules.folder);
  const pathIn = (url: string): string | undefined => {
    if (!url.startsWith("file:")) return undefined;
    const path = relative(folder, fileURLToPath(url)).split(sep).join("/");
    return path.startsWith("../") || path === ".." ? undefined : path;
  };
  return registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const ours = context.parentURL !== undefined && pathIn(context.parentURL) !== undefined;
      if (ours && /^\.{1,2}\//.test(specifier) && pathIn(found.url) === undefined)
        throw fileErrors.notListed(modules.manifest, specifier);
      return ours && pathIn(found.url) !== undefined
        ? { ...found, url: tagged(found.url, modules.tag) }
        : found;
    },
    load: (url, context, next) => {
      const path = pathIn(url);
      if (path === undefined) return next(url, context);
      return loadChecked(modules, { path, file: fileURLToPath(url) }, context);
    },
  });
}

function tagged(url: string, tag: string | undefined): string {
  return tag === undefined ? url : `${url}?troupe=${tag}`;
}

function loadChecked(
  { manifest, digests }: CheckedModules,
  { path, file }: { readonly path: string; readonly file: string },
  { format }: LoadHookContext,
): LoadFnOutput {
  const expected = digests.get(path);
  if (expected === undefined) throw fileErrors.notListed(manifest, path);
  const limitBytes = limits.pluginLibraryBytes;
  const tooLarge = (): Error => fileErrors.tooLarge(file, limitBytes);
  const source = readBoundedSync(file, { limitBytes, tooLarge, flags: constants.O_NOFOLLOW });
  const found = digestOf(source);
  if (found !== expected) throw fileErrors.changed(manifest, file, { expected, found });
  return { format: format ?? formats.get(extname(file)) ?? "module", source, shortCircuit: true };
}

/** What Node says of a module whose package says nothing: these are ES modules here. */
const formats: ReadonlyMap<string, string> = new Map([
  [".ts", "module-typescript"],
  [".mts", "module-typescript"],
  [".cjs", "commonjs"],
  [".json", "json"],
]);
