/** Trajectories of a gateway: whose they are, and what they say of what was refused. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Relay } from "@troupe/relay";
import { atifSchema } from "@troupe/relay/node";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { post } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

function guards(relay: Relay): void {
  relay.registerLlmConditionalExecutionGuardrail("no-bombs", ({ request }) => {
    const said = JSON.stringify(request.content);
    if (said.includes("broken")) throw new Error("the list is gone");
    return said.includes("bomb") ? "nothing explodes here" : null;
  });
  relay.registerToolConditionalExecutionGuardrail("no-rm", ({ args }) =>
    JSON.stringify(args).includes("rm ") ? "nothing is removed" : null,
  );
}

test("each trajectory of a run has the run's session, an id of its own, and why what was refused was", async () => {
  using folder = new PluginFolder();
  const config = folder.write(
    "troupe.toml",
    `[[components.components]]
     kind = "observability"
     [components.components.config.atif]
     enabled = true
     output_directory = "${join(folder.path, "atif")}"`,
  );
  await using provider = await ScriptedProvider.start((_request, response) => {
    const answer = '{"content":[{"type":"text","text":"hi"}]}';
    response.writeHead(200, { "content-type": "application/json" }).end(answer);
  });
  const options = readOptions({ config, bind: "127.0.0.1:0", upstream: [provider.url] }, { cwd: "/" });
  const agent = { token: "a-secret-of-its-own", session: "run-1", listen: guards };
  const gateway = await Gateway.start(options, { agent });
  const asks = (content: string) => JSON.stringify({ messages: [{ role: "user", content }] });
  for (const body of [asks("well"), asks("bomb"), asks("broken"), '{"a":1,"a":2}'])
    await text(await post(`${gateway.url}/v1/messages`, body));
  const question = { hook_event_name: "PreToolUse", tool_name: "Bash", tool_input: { command: "rm x" } };
  await text(await post(`${gateway.url}/hooks/claude`, JSON.stringify(question)));
  await gateway[Symbol.asyncDispose]();

  const files = readdirSync(join(folder.path, "atif")).map((name) =>
    JSON.parse(readFileSync(join(folder.path, "atif", name), "utf8")),
  );
  const valid = new Ajv2020({ strict: false }).compile(atifSchema);
  for (const file of files) expect([valid(file), valid.errors]).toEqual([true, null]);
  expect(files.map(({ session_id: session }) => session)).toEqual(Array(5).fill("run-1"));
  expect(new Set(files.map(({ trajectory_id: id }) => id)).size).toBe(5);
  const steps = files.flatMap((file) => file.steps as { source: string; message: string }[]);
  const said = steps.map(({ source, message }) => `${source}: ${message}`);
  expect(said.sort()).toEqual([
    "agent: hi",
    'system: The model wasn\'t asked: The llm_conditional_execution_guardrail "no-bombs" failed: the list is gone',
    'system: The model wasn\'t asked: The request says "a" twice in one object, and what guards the model would see one of them: say it once',
    "system: The model wasn't asked: nothing explodes here",
    "system: The tool Bash wasn't called: nothing is removed",
    "user: well",
  ]);
});
