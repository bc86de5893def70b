/** What plugins say while an agent has the screen. */
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
  log.error("it\u001b[2Jended", { cause: new Error("out of memory") });
  const lines = log.text().split("\n");
  expect(lines).toHaveLength(22);
  expect(lines.slice(0, 2)).toEqual([
    "troupe: 2 lines of the log before these are left out",
    "troupe: warning: plugin no-rm: warning 3",
  ]);
  expect(lines.slice(-2)).toEqual(["troupe: error: it?[2Jended: out of memory", ""]);
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
