/** docs/plugins/manifest.md: its plugin is one. */
import { readFileSync } from "node:fs";
import { createRelay } from "@troupe/relay/node";
import { expect, test } from "vitest";
import { activatePlugins } from "../src/activation/activate-plugins.ts";
import { PluginFolder } from "./support/plugin-folder.ts";

const page = readFileSync(new URL("../../../docs/plugins/manifest.md", import.meta.url), "utf8");

function snippet(language: string): string {
  return new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? "";
}

test("the page's manifest and worker make a guardrail that refuses", async () => {
  using folder = new PluginFolder();
  const sdk = import.meta.resolve("troupe/plugins/worker");
  folder.write("no-rm.ts", snippet("ts").replace('"troupe/plugins/worker"', JSON.stringify(sdk)));
  const manifest = folder.write("troupe-plugin.toml", snippet("toml"));
  const relay = createRelay();
  await using active = await activatePlugins({ plugins: [{ manifest }], relay });
  expect(active.status).toMatchObject([{ id: "no-rm", registrations: ["no-rm/no-rm"] }]);
  await expect(relay.toolCallExecute("rm", {}, () => ({ result: null }))).rejects.toMatchObject({
    code: "guardrail_rejected",
    metadata: { reason: "nothing is removed here" },
  });
});
