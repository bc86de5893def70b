/** Reads manifests from disk. */
import { open } from "node:fs/promises";
import { limits } from "@troupe/protocol";
import { manifestErrors } from "../errors.ts";
import { type PluginManifest, parseManifest } from "./manifest.ts";

/** The manifest at `file`. Reads nothing else. Throws `plugin.manifest_*` and `plugin.incompatible`. */
export async function readManifest(file: string): Promise<PluginManifest> {
  return parseManifest(await readText(file), file);
}

/** At most a byte more than the limit is read: the file may be anything. */
async function readText(file: string): Promise<string> {
  const bytes = await readStart(file, limits.pluginManifestBytes + 1).catch((cause: unknown) => {
    throw manifestErrors.unreadable(file, cause);
  });
  if (bytes.length > limits.pluginManifestBytes)
    throw manifestErrors.tooLarge(file, limits.pluginManifestBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw manifestErrors.malformed(file, cause);
  }
}

async function readStart(file: string, length: number): Promise<Uint8Array> {
  const handle = await open(file, "r");
  try {
    const buffer = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(buffer, filled, length - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await handle.close();
  }
}
