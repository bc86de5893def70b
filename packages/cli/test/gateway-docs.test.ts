/** docs/gateway.md: its configuration is taken, its commands and flags are there, and all of them are on it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readConfiguration } from "../src/config/configuration.ts";
import { troupeProgram } from "../src/program.ts";
import { presetNames } from "../src/run/agents.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { Troupe } from "./support/troupe.ts";

const page = readFileSync(new URL("../../../docs/gateway.md", import.meta.url), "utf8");

function blocks(language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))].map(
    ([, text = ""]) => text,
  );
}

test("the page's troupe.toml is read, and troupe config says of each value where it stands", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const [text = ""] = blocks("toml");
  const config = folder.write("troupe.toml", text);
  const { bind, upstreams, components } = readConfiguration({ config }, { cwd: "/" });
  expect(bind).toEqual({ value: { host: "127.0.0.1", port: 4040 }, source: `${config}:2` });
  expect(upstreams.anthropic?.value.key).toEqual({ variable: "ANTHROPIC_API_KEY" });
  expect(components.value?.components).toMatchObject([{ kind: "pii_redaction" }]);
  const { out } = await troupe.run("config", "--sources", "--config", config);
  const [shown = ""] = blocks("text").filter((block) => block.startsWith("gateway.bind"));
  expect(out).toContain(shown.trimEnd().replace(/# .*:/, `# ${config}:`));
});

test("the hooks that it shows for Claude Code are those that a run sets up", () => {
  const [text = ""] = blocks("json");
  const [{ hooks }] = JSON.parse(text).hooks.PreToolUse;
  expect(hooks).toEqual([{ type: "http", url: "http://127.0.0.1:4040/hooks/claude" }]);
});

test("each flag of gateway, run, config and doctor is on the page, and so is each agent and variable", () => {
  const program = troupeProgram({ cwd: "/", env: {}, out() {}, fail() {}, asked: async () => "SIGTERM" });
  const flags = ["gateway", "run", "config", "doctor"].flatMap(
    (name) =>
      program.commands.find((one) => one.name() === name)?.options.map(({ long }) => long ?? "") ?? [],
  );
  expect(flags.length).toBeGreaterThan(20);
  for (const flag of flags) expect(page, flag).toContain(flag);
  for (const agent of presetNames()) expect(page).toContain(`\`${agent}\``);
  const source = readFileSync(new URL("../src/config/from-words.ts", import.meta.url), "utf8");
  const variables = new Set(source.match(/TROUPE_[A-Z]+/g));
  expect(variables.size).toBe(6);
  for (const variable of variables) expect(page).toContain(variable);
});
