/** What plugins say while an agent has the screen. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { HeldLog } from "../src/run/held-log.ts";
import { startRun } from "./support/agent-run.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

test("warnings and errors wait, the last of them with whose they are; what says less isn't kept", () => {
  const log = HeldLog.empty();
  expect(log.text()).toBe("");
  const plugin = log.child({ plugin: "no-rm" });
  plugin.debug("nobody reads this");
  plugin.info("nor this");
  for (let n = 1; n <= 21; n += 1) plugin.warn(`warning ${n}`);
  log.error("it\u001b[2Jended", { cause: new Error(`out of memory, api_key=${"k3y".repeat(9)}`) });
  const lines = log.text().split("\n");
  expect(lines).toHaveLength(22);
  expect(lines.slice(0, 2)).toEqual([
    "troupe: 2 lines of the log before these are left out",
    "troupe: warning: plugin no-rm: warning 3",
  ]);
  expect(lines.slice(-2)).toEqual(["troupe: error: it?[2Jended: out of memory, api_key=[REDACTED]", ""]);
});

test("a plugin that talks leaves the agent's screen alone: what its user must know comes behind the end", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const plugin = folder.worker(
    "talker",
    `{ kind: "llm_conditional_execution_guardrail", name: "talks", handle: (_call, { host }) => {
        host.log("info", "one is asked"); host.log("warn", "one is asked without a name"); return null; } }`,
  );
  const agent = folder.write(
    "agent.mjs",
    `await fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST", body: "{}" });
     console.error("the agent's screen");`,
  );
  const words = [
    "--no-summary",
    "--upstream",
    provider.url,
    "--plugin",
    plugin,
    "--",
    process.execPath,
    agent,
  ];
  const held = (await startRun(words).ran).err;
  expect(held).toBe("the agent's screen\ntroupe: warning: plugin talker: one is asked without a name\n");
  const { err } = await startRun(words, { env: { TROUPE_LOG: "info" } }).ran;
  expect(err).toContain('"msg":"one is asked"');
});

test("nor does what the relay says of a plugin that fails stand in the middle of the agent's screen", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const fails = (kind: string) =>
    `{ kind: "${kind}", name: "fails", handle: () => { throw new Error("it can't") } }`;
  const plugin = folder.worker("frail", `${fails("subscriber")}, ${fails("event_metadata_injector")}`);
  const agent = folder.write(
    "agent.mjs",
    `for (const n of [1, 2, 3]) {
       await fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST", body: "{}" });
       console.error("draws " + n);
     }`,
  );
  const flags = ["--no-summary", "--upstream", provider.url, "--plugin", plugin];
  const { err } = await startRun([...flags, "--", process.execPath, agent]).ran;
  const lines = err.trimEnd().split("\n");
  expect(lines.slice(0, 3)).toEqual(["draws 1", "draws 2", "draws 3"]);
  expect(lines.slice(3).sort()).toEqual([
    expect.stringMatching(/^troupe: warning: Subscriber "frail\/fails" failed; .*: it can't$/),
    expect.stringMatching(
      /^troupe: warning: The event_metadata_injector "frail\/fails" failed; .*: it can't$/,
    ),
  ]);
});

test("a plugin's exporter gets all that is told of a run, also what waited for it when the agent ended", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const got = folder.write("got.jsonl", "");
  const trace = `${folder.path}/trace.jsonl`;
  const plugin = folder.worker(
    "slow",
    `{ kind: "subscriber", name: "lines", handle: async (event) => {
        const { appendFileSync } = await import("node:fs");
        // Slower than they come.
        await new Promise((resolve) => setTimeout(resolve, 30));
        appendFileSync(${JSON.stringify(got)}, event.uuid + event.scope_category + "\\n"); } }`,
  );
  const agent = folder.write(
    "agent.mjs",
    `await Promise.all([1, 2, 3, 4, 5, 6].map(() =>
       fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST", body: "{}" })));`,
  );
  const flags = ["--no-summary", "--upstream", provider.url, "--plugin", plugin, "--atof", trace];
  expect((await startRun([...flags, "--", process.execPath, agent]).ran).err).toBe("");
  const lines = (path: string) => readFileSync(path, "utf8").trimEnd().split("\n");
  expect(lines(trace)).toHaveLength(12);
  expect(lines(got)).toEqual(
    lines(trace)
      .map((line) => JSON.parse(line))
      .map(({ uuid, scope_category }) => `${uuid}${scope_category}`),
  );
});
