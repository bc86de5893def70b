/** The gateway with guardrails from plugins, as real processes: tools, the trace, starts that fail, the end. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";

const noRm = `{
  kind: "tool_conditional_execution_guardrail",
  name: "no-rm",
  handle: ({ toolName }) => (toolName === "rm" ? "nothing is removed here" : null),
}`;

/** A request under a Host of its own, which fetch doesn't let one choose. */
async function probe(url: string, host: string, method = "GET"): Promise<{ status: number; body: string }> {
  const sent = request(url, { method, headers: { host } }).end();
  const [response] = await once(sent, "response");
  return { status: response.statusCode, body: await text(response) };
}

interface Line {
  readonly kind: string;
  readonly name: string;
  readonly uuid: string;
  readonly parent_uuid: string | null;
  readonly category?: string;
}

function linesOf(path: string): readonly Line[] {
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("a worker's guardrail refuses one tool, lets another pass, and the trace says under what", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace/events.jsonl");
  const gateway = await GatewayProcess.start(["--plugin", folder.worker("curfew", noRm), "--atof", atof]);
  expect(await gateway.ask("rm", { session: "s1" })).toEqual({
    decision: "deny",
    by: "curfew/no-rm",
    reason: "nothing is removed here",
  });
  expect(await gateway.ask("ls")).toEqual({ decision: "allow", by: null, reason: null });
  expect(await gateway.stop()).toMatchObject({ code: 0, signal: null, err: "" });

  const lines = linesOf(atof);
  const scopes = lines.filter(({ name }) => name === "hooks.tool");
  const [refused, allowed] = [...new Set(scopes.map(({ uuid }) => uuid))];
  expect(scopes.map(({ parent_uuid }) => parent_uuid)).toEqual([null, null, null, null]);
  const under = (uuid: string | undefined) =>
    lines
      .filter(({ parent_uuid, name }) => parent_uuid === uuid && name !== "troupe_gateway_tool_decisions")
      .map(({ name }) => name);
  expect(under(refused)).toEqual(["curfew/no-rm", "curfew/no-rm", "rm", "tool.decision"]);
  expect(under(allowed)).toEqual(["curfew/no-rm", "curfew/no-rm", "tool.decision"]);
});

test("a guardrail whose process dies denies, and never allows", async () => {
  using folder = new PluginFolder();
  const dying = noRm.replace(/handle: .*/, "handle: () => process.exit(3),");
  await using gateway = await GatewayProcess.start(["--plugin", folder.worker("frail", dying)]);
  for (const tool of ["first", "second"])
    expect(await gateway.ask(tool)).toMatchObject({ decision: "deny", by: "frail/no-rm" });
});

test("/readyz says no when a required plugin is gone, and that an optional one is missing with a yes", async () => {
  using folder = new PluginFolder();
  const dying = noRm.replace(/handle: .*/, "handle: () => process.exit(3),");
  const ready = async (gateway: GatewayProcess, path = "readyz", host = "gateway.internal") => {
    const { status, body } = await probe(`${gateway.url}/${path}`, host);
    return [status, JSON.parse(body).status];
  };
  await using gateway = await GatewayProcess.start(["--plugin", folder.worker("frail", dying)]);
  expect(await ready(gateway)).toEqual([200, "ready"]);
  expect(await gateway.ask("any")).toMatchObject({ decision: "deny" });
  expect(await ready(gateway)).toEqual([503, "plugin_lost"]);
  expect(await ready(gateway, "livez")).toEqual([200, "ok"]);
  const optional = folder.manifest("frail", {
    kind: "worker",
    load: 'runtime = "node"\nentrypoint = "main.ts"',
    startup: "optional",
  });
  await using other = await GatewayProcess.start(["--plugin", optional]);
  expect(await other.ask("any")).toMatchObject({ decision: "deny" });
  expect(await ready(other)).toEqual([200, "degraded"]);
});

test("probes may use any name of the machine, and only look; everything else is for loopback Hosts", async () => {
  await using gateway = await GatewayProcess.start([]);
  const status = async (path: string, host: string, method?: string) =>
    (await probe(`${gateway.url}${path}`, host, method)).status;
  for (const path of ["/livez", "/readyz"]) {
    expect(await status(path, "10.1.2.3:4040")).toBe(200);
    expect(await status(path, "10.1.2.3:4040", "HEAD")).toBe(200);
    expect(await status(path, "127.0.0.1", "POST")).toBe(405);
  }
  expect(await status("/hooks/tool", "10.1.2.3:4040", "POST")).toBe(403);
  expect(await status("/", "10.1.2.3:4040")).toBe(403);
});

test("a required plugin whose library is missing: no listener, another exit code, and both files named", async () => {
  using folder = new PluginFolder();
  const manifest = folder.manifest("fast", {
    kind: "native",
    load: 'library = "lib/fast.so"',
    integrity: `sha256 = "${"0".repeat(64)}"`,
  });
  const curfew = folder.worker("curfew", noRm);
  const exit = await GatewayProcess.run(["--bind", "127.0.0.1:0", "--plugin", curfew, "--plugin", manifest]);
  expect(exit).toMatchObject({ code: 1, out: "" });
  expect(exit.err).toContain("Plugin fast is required and can't be started");
  expect(exit.err).toContain(join(folder.path, "fast/lib"));
  expect(exit.err).toContain(manifest);
  expect(exit.err).toContain("[plugin.required_failed]");
});

test("a worker that exits at once, and one that can't be read: the reason is what the terminal shows", async () => {
  using folder = new PluginFolder();
  const manifest = folder.worker("broken", noRm);
  folder.write("broken/main.ts", `throw new Error("the licence is missing");`);
  const exit = await GatewayProcess.run(["--bind", "127.0.0.1:0", "--plugin", manifest]);
  expect(exit.code).toBe(1);
  expect(exit.err).toContain("its process ended with code 1");
  expect(exit.err).toContain("the licence is missing");
  folder.write("broken/troupe-plugin.toml", "manifest_version = 2");
  const refused = await GatewayProcess.run(["--bind", "127.0.0.1:0", "--plugin", manifest]);
  expect(refused.err).toContain("manifest_version is 2, and must be 1 [plugin.manifest_invalid]");
});

test("what a plugin's process said at its end is told without the secrets in it", async () => {
  using folder = new PluginFolder();
  const key = `sk-ant-api03-${"aB3".repeat(20)}`;
  const load = 'runtime = "node"\nentrypoint = "main.ts"';
  const start = (startup: string) => {
    const manifest = folder.manifest("talker", { kind: "worker", load, startup });
    folder.write("talker/main.ts", `console.error("the key is ${key}"); process.exit(3);`);
    return manifest;
  };
  const exit = await GatewayProcess.run(["--bind", "127.0.0.1:0", "--plugin", start("required")]);
  expect(exit.err).toContain("the key is [REDACTED]");
  expect(exit.err).not.toContain("sk-ant");
  await using gateway = await GatewayProcess.start(["--plugin", start("optional")]);
  const { body } = await gateway.get("/plugins");
  expect(JSON.stringify(body)).toContain("the key is [REDACTED]");
  const { out, err } = await gateway.stop();
  expect(out + err + JSON.stringify(body)).not.toContain("sk-ant");
});

test("a trace that can't be written keeps the gateway from starting", async () => {
  using folder = new PluginFolder();
  const blocked = folder.write("file", "");
  // The other is in a place that makes no folders, and doesn't say so.
  for (const atof of [join(blocked, "events.jsonl"), "/proc/nowhere/events.jsonl"]) {
    const exit = await GatewayProcess.run(["--bind", "127.0.0.1:0", "--atof", atof]);
    expect(exit).toMatchObject({ code: 1, out: "" });
    expect(exit.err).toContain(`Can't write ${atof}`);
    expect(exit.err).toContain("[config.cannot_write]");
  }
});

test.each([
  [["--bind", "0.0.0.0:4040"], "config.unsafe_bind"],
  [["--bind", "4040"], "config.invalid_option"],
  [["--upstream", "provider"], "config.invalid_option"],
])("%j is refused by name", async (flags, code) => {
  expect(await GatewayProcess.run(flags)).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining(`[${code}]`),
  });
});

test("S5.8 a gateway that starts where it shouldn't makes a test fail, and is ended", async () => {
  await expect(GatewayProcess.run(["--bind", "127.0.0.1:0"])).rejects.toThrow("it started, and wasn't to");
});
