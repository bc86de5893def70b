/** Both modes with the same two plugins, a library in C and a worker in Python: what they guard, and that nothing of them is left. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, type TestContext, test } from "vitest";
import { findPython } from "../../plugins/test/support/python.ts";
import { startRun } from "./support/agent-run.ts";
import { cGuardrail } from "./support/c-guardrail.ts";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";

const sdk = fileURLToPath(new URL("../../../sdks/python", import.meta.url));

/** A guardrail that refuses `tool`. */
function python(tool: string): string {
  return `import sys
sys.path.insert(0, ${JSON.stringify(sdk)})
from troupe_plugin import Middleware, Plugin, serve

def refuse(payload, context):
    return "no ${tool}" if payload["toolName"] == "${tool}" else None

serve(Plugin(name="curfew", middleware=[Middleware("tool_conditional_execution_guardrail", "curfew", refuse)]))
`;
}

/** The flags of both. Skips where there is no compiler or no Python. */
async function bothPlugins(context: TestContext, folder: PluginFolder): Promise<readonly string[]> {
  const found = await findPython();
  if (found.missing !== undefined) return context.skip(found.missing);
  const native = await cGuardrail(context, folder);
  folder.write("curfew/main.py", python("curl"));
  const load = 'runtime = "python"\nentrypoint = "main.py"';
  return ["--plugin", native, "--plugin", folder.manifest("curfew", { kind: "worker", load })];
}

/** Processes that were started from below `folder`, where the system tells of them. */
function processesOf({ path }: PluginFolder): readonly string[] {
  if (!existsSync("/proc/self/cmdline")) return [];
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && `${readFileSync(`/proc/${name}/cmdline`)}`.includes(`${path}/curfew`);
    } catch {
      return false;
    }
  });
}

test("troupe gateway: C and Python refuse, a reload has no moment without them, and the end leaves nothing", async (context) => {
  using folder = new PluginFolder();
  const flags = await bothPlugins(context, folder);
  await using gateway = await GatewayProcess.start(flags);
  expect(await gateway.ask("rm")).toMatchObject({ decision: "deny", by: "c-guardrail/no-rm" });
  expect(await gateway.ask("curl")).toMatchObject({ decision: "deny", by: "curfew/curfew" });
  expect(await gateway.ask("ls")).toMatchObject({ decision: "allow" });
  expect(processesOf(folder).length).toBeGreaterThan(0);

  let reloaded: unknown;
  const reload = gateway.reload().then((said) => {
    reloaded = said;
  });
  const answers = new Set<unknown>();
  do {
    const asked = await Promise.all(["rm", "curl"].map((tool) => gateway.ask(tool)));
    for (const answer of asked) answers.add(Object(answer).decision);
  } while (reloaded === undefined);
  await reload;
  expect(reloaded).toMatchObject({ reloaded: true });
  expect([...answers]).toEqual(["deny"]);

  expect(await gateway.stop()).toMatchObject({ code: 0, err: "" });
  expect(processesOf(folder)).toEqual([]);
});

test("troupe run: the same two for one agent; its death ends them, and so does a signal before it is there", async (context) => {
  using folder = new PluginFolder();
  const flags = await bothPlugins(context, folder);
  const agent = folder.write(
    "agent.mjs",
    `const ask = async (name) => {
       const body = JSON.stringify({ name });
       const answer = await fetch(process.env.TROUPE_GATEWAY_URL + "/hooks/tool", { method: "POST", body });
       return (await answer.json()).decision;
     };
     console.log(await ask("rm"), await ask("curl"), await ask("ls"));
     process.kill(process.pid, "SIGKILL");`,
  );
  const died = await startRun([...flags, "--no-summary", "--", process.execPath, agent]).ran;
  expect(died).toEqual({ code: 137, out: "deny deny allow\n", err: "" });
  expect(processesOf(folder)).toEqual([]);

  // It says that it starts, and starts only when it is told to.
  const [starts, go] = [join(folder.path, "starts"), join(folder.path, "go")];
  const patient = `import os, time
open(${JSON.stringify(starts)}, "w").close()
while not os.path.exists(${JSON.stringify(go)}): time.sleep(0.01)
`;
  folder.write("curfew/main.py", patient + python("curl"));
  const { child, ran } = startRun([...flags, "--no-summary", "--", process.execPath, agent]);
  await expect.poll(() => existsSync(starts)).toBe(true);
  child.kill("SIGTERM");
  folder.write("go", "");
  expect(await ran).toEqual({ code: 143, out: "", err: "" });
  expect(processesOf(folder)).toEqual([]);
});
