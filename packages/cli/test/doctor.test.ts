/** `troupe doctor`: each thing that can be wrong is found, with what mends it; and it changes nothing. */
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { checkNode } from "../src/gateway/needs/machine.ts";
import { readOptions } from "../src/gateway/options.ts";
import { PluginFolder, sha256 } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";
import { Troupe } from "./support/troupe.ts";

interface Found {
  readonly check: string;
  readonly level: string;
  readonly message: string;
  readonly mend: string | null;
}

/** What it finds, by what it looked at. */
async function examined(troupe: Troupe, ...flags: readonly string[]) {
  const { out, failed } = await troupe.run("doctor", "--json", ...flags);
  const { ok, findings }: { ok: boolean; findings: Found[] } = JSON.parse(out);
  expect(failed).toBe(!ok);
  const of = (check: string) => findings.find((finding) => finding.check === check);
  return {
    ok,
    of,
    findings,
    wrong: findings.filter(({ level }) => level !== "ok").map(({ check, level }) => [check, level]),
  };
}

const guardrail = `{ kind: "tool_conditional_execution_guardrail", name: "open", handle: () => null }`;

test("where nothing is wrong it says so, and what it looked at is as it was", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end());
  const agent = folder.write("bin/claude", "#!/bin/sh\n");
  chmodSync(agent, 0o755);
  folder.write("key", "sk-1");
  chmodSync(join(folder.path, "key"), 0o600);
  const plugin = folder.worker("guard", guardrail);
  const config = folder.write(
    "troupe.toml",
    `[gateway]\nbind = "127.0.0.1:0"\natof = "trace/events.jsonl"\nplugins = ["${plugin}"]
     [upstreams.any]\nurl = "${provider.url}"\nkey_file = "key"`,
  );
  chmodSync(config, 0o644);
  troupe.env = { PATH: join(folder.path, "bin"), TROUPE_CONFIG: config };
  const before = [troupe.digest(), folder.digest()];
  const { ok, of, wrong } = await examined(troupe);
  expect([ok, wrong]).toEqual([true, []]);
  expect(of("agent claude")?.message).toContain(agent);
  expect(of("upstream any")?.message).toContain("answers");
  expect(of("key any")?.message).not.toContain("sk-1");
  expect(of("plugin guard")?.message).toContain("runs in its own process");
  expect((await troupe.run("doctor")).out).toContain("Nothing keeps a gateway from starting.");
  expect([troupe.digest(), folder.digest()]).toEqual(before);
  expect(provider.received).toEqual([]);
});

test("each thing that is wrong is found, with what mends it", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const options = readOptions({ bind: "127.0.0.1:0" }, { cwd: "/" });
  await using gateway = await Gateway.start(options);
  const library = folder.write("changed/lib.so", "what was built");
  folder.manifest("changed", {
    kind: "native",
    load: 'library = "lib.so"',
    integrity: `sha256 = "${sha256(readFileSync(library))}"`,
  });
  folder.write("changed/lib.so", "what is there now");
  folder.manifest("gone", {
    kind: "worker",
    load: 'runtime = "node"\nentrypoint = "none.ts"',
    startup: "optional",
  });
  folder.write("key", "sk-1");
  chmodSync(join(folder.path, "key"), 0o644);
  const config = folder.write(
    "troupe.toml",
    `[gateway]\nbind = "${new URL(gateway.url).host}"\natof = "troupe.toml/x.jsonl"
     plugins = ["changed/troupe-plugin.toml", "gone/troupe-plugin.toml"]
     [upstreams.openai]\nurl = "http://127.0.0.1:1"\nkey_file = "key"
     [upstreams.anthropic]\nurl = "http://127.0.0.1:1"\nkey_env = "NOT_SET"`,
  );
  chmodSync(config, 0o666);
  troupe.env = { PATH: "/nowhere" };
  const { ok, of, wrong } = await examined(troupe, "--config", config);
  expect(ok).toBe(false);
  expect(new Map(wrong.map(([check = "", level]) => [check, level]))).toEqual(
    new Map([
      ["agents", "warning"],
      ["bind", "problem"],
      ["trace", "problem"],
      ["upstream openai", "problem"],
      ["upstream anthropic", "problem"],
      ["key openai", "warning"],
      ["key anthropic", "problem"],
      ["plugin changed", "problem"],
      ["plugin gone", "warning"],
      [`file ${config}`, "warning"],
    ]),
  );
  expect(of("bind")?.message).toContain("a gateway listens there already");
  expect(of("key openai")).toMatchObject({ mend: `chmod 600 ${join(folder.path, "key")}` });
  expect(of("key anthropic")).toMatchObject({ mend: "set NOT_SET" });
  expect(of("plugin changed")?.message).toContain("[plugin.integrity_mismatch]");
  const offline = await examined(troupe, "--config", config, "--offline");
  expect(offline.of("upstream openai")).toBeUndefined();
});

test("it says which files count, which aren't there, and that one beside it doesn't count unasked", async () => {
  using troupe = new Troupe();
  const users = join(troupe.config, "troupe/troupe.toml");
  const none = await examined(troupe, "--offline");
  expect(none.of("config")?.message).toBe(`flags, variables and defaults; ${users} isn't there`);
  troupe.write("config/troupe/troupe.toml", "");
  const beside = troupe.write("project/troupe.toml", "");
  const { findings } = await examined(troupe, "--offline");
  expect(findings.filter(({ check }) => check === "config")).toMatchObject([
    { level: "ok", message: `from ${users}` },
    { level: "warning", message: expect.stringContaining(`${beside} is not read`) },
  ]);
  const named = await examined(troupe, "--offline", "--config", "troupe.toml");
  expect(named.of("config")?.message).toBe(`from ${users}, ${beside}`);
});

test("a configuration that can't be read is a finding with its line, and an old Node is one too", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const config = folder.write("troupe.toml", "[gateway]\nbnid = 1");
  const { ok, of } = await examined(troupe, "--config", config);
  expect(ok).toBe(false);
  expect(of("config")?.message).toContain(`${config}:2: there is no key gateway.bnid`);
  expect(checkNode("22.1.0")).toMatchObject({ level: "problem", mend: "install Node 24 or newer" });
  expect(checkNode("24.0.0").level).toBe("ok");
});

test("a trace where a system takes no files, and an upstream that ends with what requests bring, are found", async () => {
  using troupe = new Troupe();
  const { of } = await examined(
    troupe,
    "--atof",
    "/proc/nowhere/x",
    "--upstream",
    "http://127.0.0.1:1/api/v1",
  );
  expect(of("trace")).toMatchObject({ level: "problem", message: "/proc/nowhere/x can't be written" });
  expect(of("upstream any")).toMatchObject({
    level: "warning",
    message: expect.stringContaining("they would go to http://127.0.0.1:1/api/v1/v1"),
    mend: "name it without: http://127.0.0.1:1/api",
  });
});

afterEach(() => vi.unstubAllEnvs());

test.each([
  ["that isn't there", "nowhere", "config.no_temporary_folder"],
  ["whose path is too long for a socket", "long".repeat(20), "plugin.worker_no_socket"],
])(
  "a TMPDIR %s keeps a plugin's process from starting: doctor and dry run know it",
  async (_what, name, code) => {
    using folder = new PluginFolder();
    using troupe = new Troupe();
    const plugin = folder.worker("guard", guardrail);
    const temporary = join(folder.path, name);
    if (name !== "nowhere") mkdirSync(temporary);
    const before = folder.digest();
    vi.stubEnv("TMPDIR", temporary);
    const flags = ["--bind", "127.0.0.1:0", "--plugin", plugin];
    const { of } = await examined(troupe, "--offline", ...flags);
    expect(of("plugin guard")).toMatchObject({ level: "problem" });
    expect(of("plugin guard")?.message).toMatch(new RegExp(`TMPDIR must name a folder .*\\[${code}\\]`));
    const { out } = await troupe.run("gateway", "--dry-run", ...flags);
    expect(out).toContain(`[${code}]`);
    expect(out).toContain("The gateway would not start.");
    expect(folder.digest()).toBe(before);
    const options = readOptions({ bind: "127.0.0.1:0", plugin: [plugin] }, { cwd: "/" });
    await expect(Gateway.start(options)).rejects.toMatchObject({
      message: expect.stringContaining("TMPDIR must name a folder"),
    });
  },
);

test("an exporter that lacks what it needs is found, and a component that can't be set up says why", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const config = (endpoint: string, policy = "") =>
    folder.write(
      "troupe.toml",
      `[[components.components]]
       kind = "observability"
       [components.components.config]
       ${policy}
       [components.components.config.opentelemetry]
       enabled = true
       [[components.components.config.opentelemetry.endpoints]]
       ${endpoint}`,
    );
  const address = 'endpoint = "http://127.0.0.1:1/v1/traces"';
  const found = await examined(troupe, "--offline", "--config", config(address));
  expect(found.of("component observability")).toMatchObject({
    level: "problem",
    message: expect.stringContaining('opentelemetry.endpoints[0].type must be one of "full"'),
  });
  const without = await examined(troupe, "--offline", "--config", config('type = "full"'));
  expect(without.of("component observability")?.message).toContain("endpoint must be an absolute address");
  // Whoever wants to hear of none of that hears of it at the start.
  const ignored = config(address, 'policy = { unsupported_value = "ignore" }');
  const options = readOptions({ bind: "127.0.0.1:0", config: ignored }, { cwd: "/" });
  await expect(Gateway.start(options)).rejects.toThrow(/"observability" couldn't be set up: .*type/);
});
