/** The plugins that a gateway is asked for: those of its flags, then those that are installed and enabled. */
import {
  enabledSources,
  integrityOnly,
  type PluginSource,
  readInstalled,
  readPolicy,
  type TrustPolicy,
} from "@troupe/plugins";
import type { GatewayOptions } from "./options.ts";

/** Reads the lists and the policy as they are now; writes nothing. Throws `plugin.state_*`. */
export async function askedPlugins({
  manifests,
  scopes,
}: Pick<GatewayOptions, "manifests" | "scopes">): Promise<{
  readonly plugins: readonly PluginSource[];
  readonly policy: TrustPolicy;
}> {
  const named = manifests.map((manifest) => ({ manifest }));
  if (scopes === undefined) return { plugins: named, policy: integrityOnly };
  const installed = enabledSources(await readInstalled(scopes));
  return { plugins: [...named, ...installed], policy: await readPolicy(scopes) };
}
