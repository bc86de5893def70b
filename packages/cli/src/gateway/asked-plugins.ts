/** The plugins that a gateway is asked for: those of its flags, then those that are installed and enabled. */
import {
  enabledSources,
  integrityOnly,
  type PluginSource,
  readInstalled,
  readPolicy,
  type TrustPolicy,
} from "@troupe/plugins/installed";
import { manifestPath } from "../plugins/manifest-path.ts";
import type { GatewayOptions } from "./options.ts";

/** Reads the lists and the policy as they are now; writes nothing. Throws `plugin.state_*`, `plugin.key_invalid`. */
export async function askedPlugins({
  manifests,
  scopes,
  installed,
}: Pick<GatewayOptions, "manifests" | "scopes" | "installed">): Promise<{
  readonly plugins: readonly PluginSource[];
  readonly policy: TrustPolicy;
}> {
  const named = await Promise.all(
    manifests.map(async (path) => ({ manifest: await manifestPath("/", path) })),
  );
  if (scopes === undefined) return { plugins: named, policy: integrityOnly };
  const policy = await readPolicy(scopes);
  if (!installed) return { plugins: named, policy };
  return { plugins: [...named, ...enabledSources(await readInstalled(scopes))], policy };
}
