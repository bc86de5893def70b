/** Reads manifests from disk. */
import { resolve } from "node:path";
import { limits } from "@troupe/protocol";
import { manifestErrors } from "../errors.ts";
import { type PluginManifest, parseManifest } from "./manifest.ts";
import { readStart } from "./read-start.ts";
import { checkSignature, integrityOnly, type SignatureState, type TrustPolicy } from "./signature.ts";

/** A manifest, and what its signature is worth. */
export interface ReadManifest {
  readonly manifest: PluginManifest;
  /** As it is on disk. */
  readonly bytes: Uint8Array;
  readonly signature: SignatureState;
}

/** The manifest at `path`. Reads it and its signature alone. Throws `plugin.manifest_*`, `plugin.incompatible`, `plugin.signature_*`. */
export async function readManifest(path: string, policy: TrustPolicy = integrityOnly): Promise<ReadManifest> {
  // From here on where it is depends on nobody's working folder: a worker has another than its host.
  const file = resolve(path);
  const bytes = await readBytes(file);
  const manifest = parseManifest(decode(file, bytes), file);
  return { manifest, bytes, signature: await checkSignature(manifest, bytes, policy) };
}

/** At most a byte more than the limit is read: the file may be anything. */
async function readBytes(file: string): Promise<Uint8Array> {
  const bytes = await readStart(file, limits.pluginManifestBytes + 1).catch((cause: unknown) => {
    throw manifestErrors.unreadable(file, cause);
  });
  if (bytes.length > limits.pluginManifestBytes)
    throw manifestErrors.tooLarge(file, limits.pluginManifestBytes);
  return bytes;
}

function decode(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw manifestErrors.malformed(file, cause);
  }
}
