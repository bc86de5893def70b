/** The C SDK's guardrail as a shared library: refuses the tool "rm". */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";
import { type PluginFolder, sha256 } from "./plugin-folder.ts";

const sdk = fileURLToPath(new URL("../../../../sdks/c", import.meta.url));

/** Builds it and writes its manifest; the answer is the manifest. Skips the test where there is no compiler. */
export function cGuardrail(context: TestContext, folder: PluginFolder): string {
  const compiler = process.env.TROUPE_TEST_CC;
  if (!compiler) context.skip(process.env.TROUPE_TEST_CC_WHY ?? "a C compiler is not installed");
  const library = folder.write("c-guardrail/lib/guardrail.so", "");
  const sources = readdirSync(join(sdk, "src"))
    .filter((name) => name.endsWith(".c"))
    .map((name) => join(sdk, "src", name));
  const flags = ["-std=c11", "-Wall", "-Werror", "-shared", "-fPIC", `-I${join(sdk, "include")}`];
  execFileSync(String(compiler), [...flags, "-o", library, ...sources, join(sdk, "examples/guardrail.c")]);
  return folder.manifest("c-guardrail", {
    kind: "native",
    load: 'library = "lib/guardrail.so"',
    integrity: `sha256 = "${sha256(readFileSync(library))}"`,
  });
}
