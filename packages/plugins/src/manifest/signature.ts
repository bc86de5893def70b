/**
 * Signatures: who stands behind a manifest.
 *
 * `troupe-plugin.toml.sig` beside a manifest is an Ed25519 signature of the manifest's bytes, in Base64. The manifest has the
 * digests of what is run, so that one signature covers all of it; without them there would be nothing to stand behind. Whose
 * signatures count, and whether there must be one, is said by the host's user and never by a plugin.
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { readBounded } from "../bounded-file.ts";
import { signatureErrors } from "../errors.ts";
import { digestsOf } from "./load.ts";
import type { PluginManifest } from "./manifest.ts";

/** Whether plugins must be signed. */
export type SignatureRule = "integrity_only" | "signature_if_present" | "signature_required";

/** Whose plugins a host takes. */
export interface TrustPolicy {
  readonly signatures: SignatureRule;
  /** Public keys, `ed25519:` and 32 bytes in Base64. */
  readonly trustedKeys: readonly string[];
}

/** Digests alone: signatures aren't looked at. */
export const integrityOnly: TrustPolicy = { signatures: "integrity_only", trustedKeys: [] };

/** What a file beside the manifest is called that has its signature. */
export const SIGNATURE_SUFFIX = ".sig";

const SIGNATURE_BYTES = 64;
/** A public key of Ed25519 as SubjectPublicKeyInfo, up to the key's 32 bytes. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Whether a signature was there and holds. */
export type SignatureState = "not_checked" | "unsigned" | "signed";

/** Holds a manifest, as it was read, to the policy. Throws `plugin.signature_missing`, `plugin.signature_invalid`, `plugin.not_pinned`. */
export async function checkSignature(
  manifest: PluginManifest,
  text: Uint8Array,
  { signatures, trustedKeys }: TrustPolicy,
): Promise<SignatureState> {
  if (signatures === "integrity_only") return "not_checked";
  const { id, load, origin } = manifest;
  const invalid = (): Error => signatureErrors.invalid(id, origin.file, trustedKeys.length);
  const signature = await readSignature(origin.file, invalid);
  if (signature === undefined) {
    if (signatures === "signature_required") throw signatureErrors.missing(id, origin.file);
    return "unsigned";
  }
  if (!trustedKeys.some((key) => verify(null, text, publicKey(key), signature))) throw invalid();
  if (digestsOf(load).size === 0) throw signatureErrors.notPinned(id, origin.file);
  return "signed";
}

/** A trusted key's text as a key. Throws `plugin.key_invalid`. */
export function publicKey(text: string): KeyObject {
  const [, base64 = ""] = /^ed25519:([A-Za-z0-9+/]{43}=)$/.exec(text) ?? [];
  if (base64 === "") throw signatureErrors.badKey(text);
  const key = Buffer.concat([SPKI_PREFIX, Buffer.from(base64, "base64")]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

async function readSignature(manifest: string, tooLarge: () => Error): Promise<Uint8Array | undefined> {
  const file = `${manifest}${SIGNATURE_SUFFIX}`;
  const limitBytes = limits.pluginSignatureBytes;
  const bytes = await readBounded(file, { limitBytes, tooLarge }).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw TroupeError.is(cause) ? cause : signatureErrors.unreadable(file, cause);
  });
  if (bytes === undefined) return undefined;
  const signature = Buffer.from(bytes.toString("latin1").trim(), "base64");
  // What can't be a signature is one that doesn't hold, not one that isn't there.
  return signature.length === SIGNATURE_BYTES ? signature : new Uint8Array(SIGNATURE_BYTES);
}
