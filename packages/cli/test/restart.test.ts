/** Starting again in one process: nothing of the first start is left, however it ended. */
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { PluginFolder } from "./support/plugin-folder.ts";

const guardrail = `{
  kind: "tool_conditional_execution_guardrail",
  name: "no-rm",
  handle: ({ toolName }) => (toolName === "rm" ? "no" : null),
}`;

function options(plugin: readonly string[], bind = "127.0.0.1:0") {
  return readOptions({ bind, plugin }, { cwd: "/" });
}

async function decision(gateway: Gateway, name: string): Promise<unknown> {
  const answer = await fetch(`${gateway.url}/hooks/tool`, { method: "POST", body: JSON.stringify({ name }) });
  return await answer.json();
}

test("S5.4 (in part) after a failed start and after a stop the next start succeeds, with its own plugins alone", async () => {
  using folder = new PluginFolder();
  const strict = folder.worker("strict", guardrail);
  const missing = folder.manifest("missing", {
    kind: "worker",
    load: 'runtime = "node"\nentrypoint = "none.ts"',
  });
  await expect(Gateway.start(options([strict, missing]))).rejects.toMatchObject({ code: "required_failed" });
  const first = await Gateway.start(options([strict]));
  expect(await decision(first, "rm")).toMatchObject({ decision: "deny", by: "strict/no-rm" });
  const port = new URL(first.url).host;
  await expect(Gateway.start(options([strict], port))).rejects.toMatchObject({ code: "cannot_listen" });
  expect(await decision(first, "rm")).toMatchObject({ decision: "deny" });
  await first[Symbol.asyncDispose]();
  await expect(fetch(first.url)).rejects.toThrow();

  await using second = await Gateway.start(options([], port));
  expect(second.plugins.status).toEqual([]);
  expect(await decision(second, "rm")).toMatchObject({ decision: "allow" });
});
