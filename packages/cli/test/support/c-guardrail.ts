/** The C SDK's guardrail as a plugin on disk: it refuses the tool "rm". */
import { readFileSync } from "node:fs";
import type { TestContext } from "vitest";
import { cExample } from "../../../plugins/test/support/built.ts";
import { type PluginFolder, sha256 } from "./plugin-folder.ts";

/** Writes library and manifest; the answer is the manifest's path, or why there is none. */
export async function guardrailPlugin(folder: PluginFolder): Promise<{ path: string } | { missing: string }> {
  const built = await cExample("guardrail");
  if (built.missing !== undefined) return { missing: built.missing };
  const library = readFileSync(built.path);
  folder.write("c-guardrail/lib/guardrail.so", library);
  const path = folder.manifest("c-guardrail", {
    kind: "native",
    load: 'library = "lib/guardrail.so"',
    integrity: `sha256 = "${sha256(library)}"`,
  });
  return { path };
}

/** The manifest's path. Skips the test where there is no compiler. */
export async function cGuardrail(context: TestContext, folder: PluginFolder): Promise<string> {
  const plugin = await guardrailPlugin(folder);
  if ("missing" in plugin) return context.skip(plugin.missing);
  return plugin.path;
}
