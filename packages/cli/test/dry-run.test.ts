/** A dry run leaves no trace: in this process, so that nothing of it can go unseen. */
import { ChildProcess } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Server } from "node:net";
import { join } from "node:path";
import { afterEach, assert, expect, test, vi } from "vitest";
import { runGateway } from "../src/gateway/command.ts";
import type { GatewayFlags } from "../src/gateway/options.ts";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { Troupe } from "./support/troupe.ts";

const guardrail = `{ kind: "tool_conditional_execution_guardrail", name: "open", handle: () => null }`;

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Open sockets and running children of this process, where the system tells of them. */
function processState(): { sockets: string[]; children: string[] } {
  if (!existsSync("/proc/self/fd")) return { sockets: [], children: [] };
  const links = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  const children = readdirSync("/proc/self/task").flatMap((task) => {
    const path = `/proc/self/task/${task}/children`;
    return existsSync(path) ? readFileSync(path, "utf8").split(" ").filter(Boolean) : [];
  });
  return { sockets: links.filter((link) => link.startsWith("socket:")).sort(), children: children.sort() };
}

/** Node's types don't tell of the method that every way to start a process ends in. */
function startsProcesses(value: object): value is { spawn: (options: unknown) => unknown } {
  return "spawn" in value;
}

async function run(flags: Partial<GatewayFlags>): Promise<string> {
  const told: string[] = [];
  await runGateway(
    { bind: "127.0.0.1:0", plugin: [], ...flags },
    { cwd: "/", out: (text) => told.push(text), asked: () => Promise.resolve("SIGTERM") },
  );
  return told.join("");
}

test("S5.1 a dry run writes, binds and starts nothing, and reports a missing required plugin", async () => {
  using folder = new PluginFolder();
  const good = folder.worker("good", guardrail);
  const missing = folder.manifest("missing", {
    kind: "native",
    load: 'library = "missing.so"',
    integrity: `sha256 = "${"0".repeat(64)}"`,
  });
  vi.stubEnv("TMPDIR", join(folder.path, "good"));
  const listen = vi.spyOn(Server.prototype, "listen");
  const prototype: object = ChildProcess.prototype;
  assert(startsProcesses(prototype));
  const spawn = vi.spyOn(prototype, "spawn");
  const before = { digest: folder.digest(), ...processState() };

  const flags = { plugin: [good, missing], atof: join(folder.path, "trace.jsonl"), dryRun: true };
  const plan = JSON.parse(await run({ ...flags, json: true }));
  expect(plan).toMatchObject({
    bind: "127.0.0.1:0",
    atof: flags.atof,
    starts: false,
    plugins: [
      { id: "good", kind: "worker", file: join(folder.path, "good/main.ts"), problem: null },
      { id: "missing", kind: "native", startup: "required", problem: { code: "plugin.file_missing" } },
    ],
  });
  expect(await run(flags)).toContain("The gateway would not start.");

  expect({ digest: folder.digest(), ...processState() }).toEqual(before);
  expect(listen).not.toHaveBeenCalled();
  expect(spawn).not.toHaveBeenCalled();

  // What must have seen a trace, does: the same flags, and no dry run.
  await run({ ...flags, plugin: [good], dryRun: false });
  expect(listen).toHaveBeenCalled();
  expect(spawn).toHaveBeenCalled();
  expect({ ...before, digest: folder.digest() }).not.toEqual(before);
});

test("S5.1 (in part) nor does a dry run of an agent, the doctor, or a look at the configuration", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const good = folder.worker("good", guardrail);
  folder.write("home/.gemini/settings.json", "{}");
  folder.write("tmp/empty", "");
  const atof = join(folder.path, "trace.jsonl");
  const config = folder.write("troupe.toml", `[gateway]\nplugins = ["${good}"]\natof = "${atof}"`);
  troupe.env = { HOME: join(folder.path, "home"), PATH: "" };
  vi.stubEnv("TMPDIR", join(folder.path, "tmp"));
  const listen = vi.spyOn(Server.prototype, "listen");
  const prototype: object = ChildProcess.prototype;
  assert(startsProcesses(prototype));
  const spawn = vi.spyOn(prototype, "spawn");
  const before = { user: troupe.digest(), digest: folder.digest(), ...processState() };

  const planned = await troupe.run("run", "--dry-run", "--config", config, "--", "gemini", "-p", "hi");
  expect(planned.out).toContain("Would activate plugin good");
  expect(planned.out).toContain(`Would set GEMINI_CLI_HOME=${join(folder.path, "tmp/troupe-gemini-")}`);
  expect(planned.out).toMatch(/\nWould run gemini -p hi\n$/);
  await troupe.run("doctor", "--offline", "--bind", "127.0.0.1:0", "--config", config);
  await troupe.run("config", "--sources", "--config", config);

  expect({ user: troupe.digest(), digest: folder.digest(), ...processState() }).toEqual(before);
  expect(listen).not.toHaveBeenCalled();
  expect(spawn).not.toHaveBeenCalled();
});

test("a dry run of an agent says which variables and arguments it would get, and no secret of them", async () => {
  using troupe = new Troupe();
  const key = `sk-ant-api03-${"x".repeat(40)}`;
  const config = { provider: { mine: { options: { apiKey: "hunter2hunter2" } } } };
  troupe.env = { ANTHROPIC_API_KEY: key, OPENCODE_CONFIG_CONTENT: JSON.stringify(config) };
  const planned = async (...words: readonly string[]) => {
    const { out } = await troupe.run("run", "--dry-run", "--no-installed", ...words);
    expect(out).not.toMatch(/sk-ant|hunter2/);
    return out.slice(out.indexOf("Would set"));
  };
  const url = "http://127.0.0.1:PORT/t/SECRET";
  const everybody = [
    `Would set OPENAI_BASE_URL=${url}/v1`,
    `Would set ANTHROPIC_BASE_URL=${url}`,
    `Would set GOOGLE_GEMINI_BASE_URL=${url}`,
    `Would set TROUPE_GATEWAY_URL=${url}`,
    "Would set no_proxy=127.0.0.1,localhost",
    "Would set NO_PROXY=127.0.0.1,localhost",
  ];
  expect(await planned("--", "my-agent", "it's", "--api-key", key, "two\nlines")).toBe(
    [...everybody, "Would run my-agent 'it'\\''s' --api-key '[REDACTED]' 'two?lines'", ""].join("\n"),
  );
  const codex = (await planned("--", "npx", "@openai/codex", "exec")).split("\n");
  expect(codex.slice(0, -2)).toEqual([...everybody, "Would set OPENAI_PROJECT=SECRET"]);
  expect(codex.at(-2)).toMatch(
    /^Would run npx @openai\/codex -c 'openai_base_url="http:\/\/127\.0\.0\.1:PORT\/v1"' -c 'hooks\.PreToolUse=.*' -c 'hooks\.state=.*' exec$/,
  );
  const claude = await planned("--", "claude", "--settings", JSON.stringify({ env: { API_KEY: key } }));
  const [, path, text = ""] =
    /\nWould write (\S+): (.*)\nWould run claude --settings \1\n$/.exec(claude) ?? [];
  expect(path).toMatch(/troupe-claude-RUN.settings\.json$/);
  const settings = JSON.parse(text);
  expect(settings).toMatchObject({
    env: { API_KEY: "[REDACTED]", ANTHROPIC_BASE_URL: url },
    hooks: { PreToolUse: [{ hooks: [{ type: "http", url: `${url}/hooks/claude` }] }] },
  });
  const opencode = /Would set OPENCODE_CONFIG_CONTENT='(.*)'\n/.exec(await planned("--", "opencode"))?.[1];
  expect(JSON.parse(opencode ?? "")).toMatchObject({
    provider: { mine: { options: { apiKey: "[REDACTED]" } }, openai: { options: { baseURL: `${url}/v1` } } },
  });
  const gemini = await planned("--", "gemini", "-p", "hi");
  const home = /\nWould set GEMINI_CLI_HOME=(\S+)\n/.exec(gemini)?.[1] ?? "";
  const [, folder, content = ""] =
    /\nWould write (\S+)[/\\]\.gemini[/\\]settings\.json: (.*)\n/.exec(gemini) ?? [];
  expect(folder).toBe(home);
  expect(JSON.parse(content)).toMatchObject({
    security: { auth: { selectedType: "gemini-api-key" } },
    hooks: { BeforeTool: [{ hooks: [{ name: "troupe" }] }] },
  });
  // What would keep it from starting is said here too.
  troupe.write("project/.gemini/settings.json", '{ "hooksConfig": { "enabled": false } }');
  expect((await troupe.run("run", "--dry-run", "--", "gemini")).out).toMatch(
    /\nWould not run gemini: .*settings\.json.* \[run\.settings_conflict\]\n$/,
  );
});

test("a dry run and the doctor find what a start would fail on: keys, components, the trace's file, the program", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const agents = folder.write("bin/agent", "");
  const config = folder.write(
    "troupe.toml",
    `[gateway]\nbind = "127.0.0.1:0"\natof = "troupe.toml/x.jsonl"
     [upstreams.any]\nurl = "http://127.0.0.1:1"\nkey_env = "NOT_SET"
     [[components.components]]\nkind = "nope"
     [[components.components]]\nkind = "pii_redaction"\nconfig = { profils = [] }`,
  );
  troupe.env = { PATH: join(folder.path, "bin") };
  const wrong = [
    ["trace", /can't be written/],
    ["components", /there is no kind "nope", but pricing/],
    ["component pii_redaction", /"profils"/],
    ["key any", /the variable NOT_SET isn't set/],
  ] as const;
  const flags = ["--config", config];
  const { out } = await troupe.run("gateway", "--dry-run", "--json", ...flags);
  const plan = JSON.parse(out);
  expect(plan.starts).toBe(false);
  const { findings } = JSON.parse((await troupe.run("doctor", "--offline", "--json", ...flags)).out);
  for (const found of [plan.problems, findings])
    for (const [check, message] of wrong)
      expect(found).toContainEqual(
        expect.objectContaining({ check, message: expect.stringMatching(message) }),
      );
  const run = async (program: string) => (await troupe.run("run", "--dry-run", ...flags, "--", program)).out;
  expect(await run("agent")).toMatch(
    /\nWould fail on key any: .*; set NOT_SET\nThe gateway would not start\.\n/,
  );
  expect(await run("agent")).toMatch(/\nWould fail on the agent: .* \[run\.not_executable\]\n/);
  expect(await run("nosuch")).toMatch(/\nWould fail on the agent: .* \[run\.not_found\]\n/);
  chmodSync(agents, 0o755);
  expect(await run("agent")).not.toContain("the agent");
});

test("the executable's dry run ends with 0, at a port that is taken too", async () => {
  using folder = new PluginFolder();
  await using gateway = await GatewayProcess.start([]);
  const bind = new URL(gateway.url).host;
  const flags = ["--bind", bind, "--plugin", join(folder.path, "none.toml"), "--dry-run"];
  const exit = await GatewayProcess.run(flags);
  expect(exit).toMatchObject({ code: 0, err: "" });
  expect(exit.out).toContain(`Would listen at ${bind}`);
  expect(exit.out).toContain(`Would fail on bind: ${bind} is taken: a gateway listens there already`);
  expect(exit.out).toContain("[plugin.manifest_unreadable]");
});
