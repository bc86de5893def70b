/** docs/gateway.md: its configuration is taken, its commands and flags are there, and all of them are on it. */
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import type { Relay } from "@troupe/relay";
import { expect, test } from "vitest";
import { readConfiguration } from "../src/config/configuration.ts";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { troupeProgram } from "../src/program.ts";
import { presetNames } from "../src/run/agents.ts";
import { FilesWritten } from "../src/run/files-written.ts";
import { RunSummary } from "../src/run/summary.ts";
import { post } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";
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

test("the page's prices are in force from a troupe.toml, and the summary of a run has what calls came to", async () => {
  using folder = new PluginFolder();
  const [, prices = ""] = blocks("toml");
  const config = folder.write("troupe.toml", prices);
  const summary = new RunSummary(new FilesWritten("/nowhere", 0));
  const usage = { input_tokens: 1_000, cache_read_input_tokens: 10_000, output_tokens: 100 };
  const answer = JSON.stringify({ model: "claude-sonnet-4-5-20250929", content: [], usage });
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(answer);
  });
  const options = readOptions({ config, bind: "127.0.0.1:0", upstream: [provider.url] }, { cwd: "/" });
  const agent = {
    token: "a-secret-of-its-own",
    session: "s",
    listen: (relay: Relay) => summary.listen(relay),
  };
  const gateway = await Gateway.start(options, { agent });
  await text(await post(`${gateway.url}/v1/messages`));
  await gateway[Symbol.asyncDispose]();
  // 1,000 for 3 a million, 10,000 for 0.3, 100 for 15.
  expect(summary.text(1)).toContain(", 100 out, 0.0075 USD\n");
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
  // Of a data folder, which is no gateway's: they are on the page on backups.
  const elsewhere = ["--salvage", "--give-up", "--yes"];
  for (const flag of flags.filter((each) => !elsewhere.includes(each))) expect(page, flag).toContain(flag);
  for (const agent of presetNames()) expect(page).toContain(`\`${agent}\``);
  const source = readFileSync(new URL("../src/config/from-words.ts", import.meta.url), "utf8");
  const variables = new Set(source.match(/TROUPE_[A-Z]+/g));
  expect(variables.size).toBe(6);
  for (const variable of variables) expect(page).toContain(variable);
});
