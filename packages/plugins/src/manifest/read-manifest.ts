/** Reads manifests from disk. */
import { resolve } from "node:path";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { readBounded } from "../bounded-file.ts";
import { manifestErrors } from "../errors.ts";
import { type PluginManifest, parseManifest } from "./manifest.ts";
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

async function readBytes(file: string): Promise<Uint8Array> {
  const limitBytes = limits.pluginManifestBytes;
  const tooLarge = (): Error => manifestErrors.tooLarge(file, limitBytes);
  return await readBounded(file, { limitBytes, tooLarge }).catch((cause: unknown) => {
    throw TroupeError.is(cause) ? cause : manifestErrors.unreadable(file, cause);
  });
}

function decode(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw manifestErrors.malformed(file, cause);
  }
}
