/** The plugins that a gateway would activate: manifests, files and digests, by reading alone. */
import { type Finding, fine, problem, TroupeError, warning } from "@troupe/base";
import { inspectPlugin } from "@troupe/plugins/installed";
import { askedPlugins } from "../gateway/asked-plugins.ts";
import type { GatewayOptions } from "../gateway/options.ts";

/** One finding for each; one for their lists where those can't be read. */
export async function checkPlugins(options: GatewayOptions): Promise<readonly Finding[]> {
  try {
    const { plugins, policy } = await askedPlugins(options);
    if (plugins.length === 0)
      return [
        warning("plugins", "no plugin is enabled: everything is allowed", "troupe plugins add, or --plugin"),
      ];
    return await Promise.all(
      plugins.map(async (source) => {
        const {
          id,
          version,
          runsIn,
          startup,
          problem: wrong,
          source: name,
        } = await inspectPlugin(source, policy);
        const check = `plugin ${id ?? name}`;
        if (wrong === undefined) return fine(check, `${version}, runs in ${runsIn}`);
        const found = `${wrong.message} [${wrong.group}.${wrong.code}]`;
        const mend = mends[wrong.code] ?? "mend what its message says, or disable it: troupe plugins disable";
        return startup === "optional" ? warning(check, found, mend) : problem(check, found, mend);
      }),
    );
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return [problem("plugins", error.message, "mend or remove the file that it names")];
  }
}

/** What to do, by the code of what is wrong. */
const mends: Readonly<Record<string, string>> = {
  integrity_mismatch:
    "the file isn't what its manifest speaks of: install the plugin anew, and trust nothing of it before",
  pin_mismatch: "it isn't what was pinned: look at what changed, and pin it anew: troupe plugins pin",
  file_missing: "build or install the plugin anew, or disable it: troupe plugins disable",
  manifest_unreadable: "look at the path that was given",
  incompatible: "install a version of the plugin for this Troupe",
};
