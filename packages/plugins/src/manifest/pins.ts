/** Pins: digests that somebody took of a plugin when they looked at it. From then on it is that plugin and no other. */

import { limits } from "@troupe/protocol";
import { digestOf, readNamedFile } from "./checked-file.ts";
import { codeFiles } from "./code-files.ts";
import { pinErrors } from "./errors.ts";
import { digestsOf, entryOf, type PluginLoad } from "./load.ts";
import type { PluginManifest } from "./manifest.ts";

/** SHA-256, hexadecimal. */
export interface Pins {
  /** Of the manifest. */
  readonly manifest: string;
  /** Of the files that are run, by their paths relative to the manifest. */
  readonly files: Readonly<Record<string, string>>;
}

/** The manifest with its pins in the place of digests, where it has none itself. Throws `plugin.pin_mismatch`. */
export function applyPins(manifest: PluginManifest, bytes: Uint8Array, pins: Pins): PluginManifest {
  const { id, origin, load } = manifest;
  const found = digestOf(bytes);
  if (found !== pins.manifest) throw pinErrors.mismatch(id, origin.file, { expected: pins.manifest, found });
  for (const [path, sha256] of digestsOf(load)) {
    const pinned = Object.hasOwn(pins.files, path) ? pins.files[path] : undefined;
    if (pinned !== sha256)
      throw pinErrors.mismatch(id, path, { expected: pinned ?? "nothing", found: sha256 });
  }
  if (load.sha256 !== undefined) return manifest;
  return { ...manifest, origin: { ...origin, pinned: id }, load: pinned(load, pins) };
}

/**
 * Takes the pins of what a manifest names, as it is now, and, where it says no digests itself, of the code beside it. Throws
 * `plugin.file_*`, `plugin.integrity_mismatch`, `plugin.too_many_files`.
 */
export async function takePins(manifest: PluginManifest, bytes: Uint8Array): Promise<Pins> {
  const { origin, load } = manifest;
  const entry = entryOf(load);
  const beside = load.sha256 === undefined ? await codeFiles(manifest) : load.files.keys();
  // A map first: a file may be called "__proto__".
  const files = new Map<string, string>();
  for (const path of new Set([entry.path, ...beside])) {
    const sha256 = path === entry.path ? load.sha256 : load.files.get(path);
    const key = path === entry.path ? entry.key : `integrity.files."${path}"`;
    const { bytes: content } = await readNamedFile({ origin, key, path, sha256 }, limits.pluginLibraryBytes);
    files.set(path, digestOf(content));
  }
  return { manifest: digestOf(bytes), files: Object.fromEntries(files) };
}

function pinned<L extends PluginLoad>(load: L, { files }: Pins): L {
  const entry = entryOf(load).path;
  const others = new Map(Object.entries(files));
  const sha256 = others.get(entry);
  others.delete(entry);
  return { ...load, sha256, files: others };
}
