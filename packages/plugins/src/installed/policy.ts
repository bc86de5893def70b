/** The user's policy: whose plugins are taken. It is the user's alone; no project and no plugin has a say. */
import { integrityOnly, publicKey, type SignatureRule, type TrustPolicy } from "../manifest/signature.ts";
import { stateErrors } from "./errors.ts";
import { readJson } from "./json-file.ts";
import { policyFile, type Scopes } from "./scopes.ts";

const rules: readonly SignatureRule[] = ["integrity_only", "signature_if_present", "signature_required"];

/** The policy of `plugin-policy.json`; without the file, digests alone count. Throws `plugin.state_*`, `plugin.key_invalid`. */
export async function readPolicy(scopes: Scopes): Promise<TrustPolicy> {
  const file = policyFile(scopes);
  const value = await readJson(file);
  if (value === undefined) return integrityOnly;
  if (typeof value !== "object" || value === null) throw stateErrors.malformed(file, "it must be an object");
  const { signatures, trustedKeys = [], ...others }: Partial<Record<string, unknown>> = { ...value };
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw stateErrors.malformed(file, `there is no key ${unknown}`);
  const rule = rules.find((known) => known === signatures);
  if (rule === undefined)
    throw stateErrors.malformed(file, `signatures must be ${rules.map((name) => `"${name}"`).join(" or ")}`);
  if (!Array.isArray(trustedKeys) || !trustedKeys.every((key) => typeof key === "string"))
    throw stateErrors.malformed(file, "trustedKeys must be a list of texts");
  for (const key of trustedKeys) publicKey(key);
  return { signatures: rule, trustedKeys };
}
