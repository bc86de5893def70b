/** A real agent of an agentOS session, whose model is behind a gateway: what it says to it is under the gateway's plugins. */
import { join } from "node:path";
import { agentOS } from "@troupe/agent-os";
import { setup, setupTest } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Place, pi } from "../../agent-os/test/support/real-agents.ts";
import { ScriptedModel } from "../../agent-os/test/support/scripted-model.ts";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { Troupe } from "./support/troupe.ts";

const noPasswords = `{
  kind: "llm_conditional_execution_guardrail",
  name: "no-passwords",
  handle: ({ request }) => (JSON.stringify(request.content).includes("hunter2") ? "that is a password" : null),
}`;

test("an agent's model traffic goes through a gateway: it is traced, and refused where a guardrail says so", async (context) => {
  const program = process.env.TROUPE_TEST_PI ?? "";
  if (program === "") return context.skip(process.env.TROUPE_TEST_PI_WHY ?? "no Pi");
  using place = new Place();
  using folder = new PluginFolder();
  using troupe = new Troupe();
  await using model = await ScriptedModel.start();
  const trace = join(folder.path, "trace.jsonl");
  const flags = ["--upstream", model.url, "--plugin", folder.worker("guard", noPasswords), "--atof", trace];
  await using ending = new AsyncDisposableStack();
  const gateway = ending.use(await GatewayProcess.start(flags));
  const workspace = agentOS({ agents: { pi: pi(program, place, gateway.url) } });
  const { client } = await setupTest(context, setup({ use: { workspace } }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession({ cwd: place.project });

  model.says({ text: "It is tulip." });
  expect(await handle.prompt({ content: "What is the secret?" })).toEqual({ stopReason: "end_turn" });
  expect(model.asked).toHaveLength(1);
  await handle.prompt({ content: "My password is hunter2." }).catch(() => undefined);
  expect(model.asked).toHaveLength(1);
  await handle.unloadSession();
  // Its trace is whole when it has ended.
  await ending.disposeAsync();

  const shown = await troupe.run("trace", trace);
  expect(shown.out).toContain("openai.chat_completions");
  expect(shown.out).toContain("that is a password");
}, 60_000);
