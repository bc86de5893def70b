/** A gateway and the plugins that are installed: what runs, how it is reloaded, what is told of it. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { cGuardrail } from "../support/c-guardrail.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { PluginFolder } from "../support/plugin-folder.ts";
import { Troupe } from "../support/troupe.ts";

function refusing(tool: string): string {
  return `{
    kind: "tool_conditional_execution_guardrail",
    name: "no",
    handle: ({ toolName }) => (toolName === ${JSON.stringify(tool)} ? "no ${tool}" : null),
  }`;
}

test("what is enabled runs from the next start or reload on; SIGHUP reads everything anew", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  await troupe.plugins("add", folder.worker("first", refusing("rm")));
  await using gateway = await GatewayProcess.start([], troupe.config);
  expect(await gateway.ask("rm")).toMatchObject({ decision: "allow" });
  await troupe.plugins("enable", "first");
  expect(await gateway.ask("rm")).toMatchObject({ decision: "allow" });
  expect(await gateway.reload()).toMatchObject({
    reloaded: true,
    plugins: [{ id: "first", state: "active", registrations: ["first/no"] }],
  });
  expect(await gateway.ask("rm")).toMatchObject({ decision: "deny", by: "first/no" });
  folder.worker("first", refusing("curl"));
  expect(await gateway.reload()).toMatchObject({ reloaded: true });
  expect(await gateway.ask("rm")).toMatchObject({ decision: "allow" });
  expect(await gateway.ask("curl")).toMatchObject({ decision: "deny" });
  // What can't be reloaded leaves what runs, and says why.
  rmSync(join(folder.path, "first/main.ts"));
  expect(await gateway.reload()).toMatchObject({
    reloaded: false,
    error: { code: "plugin.required_failed", message: expect.stringContaining("main.ts") },
  });
  expect(await gateway.ask("curl")).toMatchObject({ decision: "deny" });
  await troupe.plugins("disable", "first");
  expect(await gateway.reload()).toMatchObject({ reloaded: true, plugins: [] });
  expect(await gateway.ask("curl")).toMatchObject({ decision: "allow" });
  expect(await gateway.stop()).toMatchObject({ code: 0 });
});

test("an optional plugin that is lost or left out is degraded, not down, and GET /plugins says which and why", async () => {
  using folder = new PluginFolder();
  const dying = `{
    kind: "tool_conditional_execution_guardrail",
    name: "dying",
    handle: ({ toolName }) => (toolName === "die" ? process.exit(9) : null),
  }`;
  const frail = folder.worker("frail", dying);
  const load = 'runtime = "node"\nentrypoint = "main.ts"';
  folder.manifest("frail", { kind: "worker", load, startup: "optional" });
  await using gateway = await GatewayProcess.start(["--plugin", frail]);
  expect(await gateway.get("/readyz")).toEqual({ status: 200, body: { status: "ready" } });
  await gateway.ask("die");
  expect(await gateway.get("/readyz")).toEqual({ status: 200, body: { status: "degraded" } });
  expect(await gateway.get("/plugins")).toMatchObject({
    status: 200,
    body: {
      plugins: [
        { id: "frail", startup: "optional", state: "restarting", error: { code: "plugin.worker_exited" } },
      ],
      skipped: [],
    },
  });
  // Whatever it guards stays shut until it is back.
  expect(await gateway.ask("ls")).toMatchObject({ decision: "deny" });
  const back = () => gateway.get("/readyz");
  await expect.poll(back, { timeout: 10_000 }).toMatchObject({ body: { status: "ready" } });
  expect(await gateway.ask("ls")).toMatchObject({ decision: "allow" });
  writeFileSync(join(folder.path, "frail/main.ts"), "process.exit(1)");
  expect(await gateway.reload()).toMatchObject({
    plugins: [{ id: "frail", state: "active", error: { code: "plugin.not_replaced" } }],
    skipped: [],
  });
  expect(await gateway.get("/readyz")).toEqual({ status: 200, body: { status: "ready" } });
  await using without = await GatewayProcess.start(["--plugin", frail]);
  expect(await without.get("/plugins")).toMatchObject({
    body: { plugins: [], skipped: [{ plugin: "frail", code: "plugin.worker_exited" }] },
  });
  expect(await without.get("/readyz")).toEqual({ status: 200, body: { status: "degraded" } });
});

test("a library that takes the place of a plugin's in development is said when a gateway starts", async (context) => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  await troupe.plugins("add", await cGuardrail(context, folder));
  await troupe.plugins("enable", "c-guardrail");
  const library = join(folder.path, "c-guardrail/lib/guardrail.so");
  const start = () => troupe.run("gateway", "--bind", "127.0.0.1:0");
  const said = `Plugin c-guardrail is loaded from ${library}, unchecked: for development alone`;
  expect((await start()).out).not.toContain(said);
  vi.stubEnv("TROUPE_PLUGIN_C_GUARDRAIL_LIBRARY", library);
  try {
    expect((await start()).out).toContain(said);
  } finally {
    vi.unstubAllEnvs();
  }
});

test("the user's policy holds whatever is left out, by a flag, a variable or a project's file", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const unsigned = folder.worker("unsigned", refusing("rm"));
  const project = folder.write("troupe.toml", `[gateway]\ninstalled = false\nplugins = ["${unsigned}"]`);
  const policy = JSON.stringify({ signatures: "signature_required", trustedKeys: [] });
  troupe.write("config/troupe/plugin-policy.json", policy);
  for (const flags of [
    ["--no-installed", "--plugin", unsigned],
    ["--config", project],
  ]) {
    const dry = await GatewayProcess.run(["--dry-run", "--json", ...flags], troupe.config);
    const problem = { code: "plugin.signature_missing" };
    expect(JSON.parse(dry.out)).toMatchObject({ starts: false, plugins: [{ problem }] });
    const { code, err } = await GatewayProcess.run(["--bind", "127.0.0.1:0", ...flags], troupe.config);
    expect([code, err]).toEqual([1, expect.stringContaining("signature_missing")]);
  }
});

test("S5.1 (in part) a dry run tells of installed plugins; --no-installed leaves them out", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  await troupe.plugins("add", folder.worker("first", refusing("rm")));
  await troupe.plugins("enable", "first");
  rmSync(join(folder.path, "first/main.ts"));
  const before = [troupe.digest(), folder.digest()];
  const dry = await GatewayProcess.run(["--dry-run", "--json"], troupe.config);
  expect(JSON.parse(dry.out)).toMatchObject({
    starts: false,
    plugins: [{ id: "first", problem: { code: "plugin.file_missing" } }],
  });
  const without = await GatewayProcess.run(["--dry-run", "--json", "--no-installed"], troupe.config);
  expect(JSON.parse(without.out)).toMatchObject({ starts: true, plugins: [] });
  expect([troupe.digest(), folder.digest()]).toEqual(before);
});
