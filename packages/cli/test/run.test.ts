/** `troupe run`: an agent behind a gateway of its own. */
import { once } from "node:events";
import { existsSync, readFileSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { behindGateway, upstreamsOf } from "../src/run/agents.ts";
import { startRun as start } from "./support/agent-run.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

const address = { origin: "http://g", token: "s3cret" };

const reply = {
  type: "message",
  model: "claude-\u001b[2Jx",
  role: "assistant",
  content: [{ type: "tool_use", id: "t1", name: "bash", input: {} }],
  usage: { input_tokens: 5, output_tokens: 3 },
};

const agent = `
  const base = process.env.ANTHROPIC_BASE_URL;
  const ask = (url) => fetch(url + "/v1/messages", { method: "POST", body: JSON.stringify({ model: process.argv[2] }) });
  console.log((await ask(base)).status, (await ask(base)).status);
  const refused = [await ask(new URL(base).origin), await ask(new URL(base).origin + "/t/guess")];
  console.log(...await Promise.all(refused.map(async (no) => no.status + (await no.json()).error.type)));
  process.exit(7);
`;

test("its calls go through the gateway, its exit code comes back, and the run is summed up", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reply));
  });
  const script = folder.write("agent.mjs", agent);
  const { ran } = start(["--upstream", provider.url, "--", process.execPath, script, "m-1"]);
  const { code, out, err } = await ran;
  expect(out).toBe("200 200\n401authentication_error 401authentication_error\n");
  expect(err).toMatch(
    /^troupe: 2 model calls in [\d.]+ s\n {2}claude-\?\[2Jx: 2 calls, 10 tokens in, 6 out\n {2}price: not known; .*\n {2}tools: bash ×2\n$/,
  );
  expect(code).toBe(7);
  expect(provider.received).toHaveLength(2);
});

test("the summary names the files that tools were asked about and that have changed since", async () => {
  using folder = new PluginFolder();
  const tool = (name: string, input: object) => ({ type: "tool_use", id: name, name, input });
  const patch = "*** Begin Patch\n*** Update File: patched.ts\n*** Add File: never.ts\n*** End Patch";
  const content = [
    tool("write_file", { file_path: "new\u001b[31m.ts", content: "*** Add File: quoted.ts" }),
    tool("read_file", { path: "old.ts" }),
    tool("shell", { command: ["apply_patch", patch] }),
  ];
  await using provider = await ScriptedProvider.start((_request, response) => {
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ ...reply, content }));
  });
  folder.write("old.ts", "");
  utimesSync(join(folder.path, "old.ts"), 1, 1);
  const script = folder.write(
    "writer.mjs",
    `import { writeFileSync } from "node:fs";
     await fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST", body: "{}" });
     for (const name of ["new\\u001b[31m.ts", "patched.ts"]) writeFileSync(name, "");`,
  );
  const { ran } = start(["--upstream", provider.url, "--", process.execPath, script], { cwd: folder.path });
  expect((await ran).err).toContain("\n  files written: new?[31m.ts, patched.ts\n");
});

test("a guardrail's refusals are counted, and nothing of them goes out", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const guardrail = `{ kind: "llm_conditional_execution_guardrail", name: "none", handle: () => "not today" }`;
  const script = folder.write("agent.mjs", agent);
  const plugin = folder.worker("budget", guardrail);
  const flags = ["--upstream", provider.url, "--plugin", plugin];
  const { out, err } = await start([...flags, "--", process.execPath, script, "m-1"]).ran;
  expect(out).toBe("403 403\n401authentication_error 401authentication_error\n");
  expect(err).toMatch(/^troupe: 2 model calls in [\d.]+ s, 2 refused\n {2}refused: not today ×2\n$/);
  expect(provider.received).toEqual([]);
});

test("signals go on to the agent, those of a terminal too where there is none; how one ended it is the exit code", async () => {
  using folder = new PluginFolder();
  const patient = folder.write(
    "patient.mjs",
    `let left = 5;
     for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"]) process.on(signal, () => --left || process.exit(3));
     console.log("up");
     setInterval(() => {}, 1000);`,
  );
  const { child, ran } = start(["--no-summary", "--", process.execPath, patient]);
  await once(child.stdout, "readable");
  for (const signal of ["SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGINT", "SIGTERM"] as const) child.kill(signal);
  expect(await ran).toMatchObject({ code: 3, err: "" });
  const struck = folder.write("struck.mjs", 'process.kill(process.pid, "SIGKILL");');
  expect(await start(["--no-summary", "--", process.execPath, struck]).ran).toMatchObject({ code: 137 });
});

test("a program that isn't there, or is none, is an error of ours with a shell's exit code; a dry run starts nothing", async () => {
  const missing = await start(["--", "/nowhere/agent"]).ran;
  expect(missing).toMatchObject({ code: 127, out: "" });
  expect(missing.err).toMatch(
    /^troupe: \/nowhere\/agent can't be started: it isn't there.* \[run\.not_found\]\n$/,
  );
  using folder = new PluginFolder();
  const none = await start(["--no-summary", "--", folder.write("notes.txt", "notes")]).ran;
  expect(none).toMatchObject({ code: 126, out: "" });
  expect(none.err).toMatch(/^troupe: .*notes\.txt can't be started: .* \[run\.not_executable\]\n$/);
  const dry = await start(["--dry-run", "--upstream", "http://127.0.0.1:9", "--", "/nowhere/agent", "-x"])
    .ran;
  expect(dry).toMatchObject({ code: 0, err: "" });
  expect(dry.out).toMatch(/Would run \/nowhere\/agent -x\n$/);
  expect(dry.out).toMatch(/\nWould fail on the agent: \/nowhere\/agent can't .* \[run\.not_found\]\n/);
});

test("a process that the agent leaves behind, in a call that has no end, doesn't hold up the run", async () => {
  using folder = new PluginFolder();
  const asked = Promise.withResolvers<void>();
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": thinking\n\n");
    asked.resolve();
  });
  const left = folder.write(
    "left.mjs",
    `process.on("SIGTERM", () => process.exit());
     const answer = await fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST", body: "{}" });
     await answer.text().catch(() => {});
     console.log("cut");`,
  );
  const script = folder.write(
    "leaves.mjs",
    `import { spawn } from "node:child_process";
     spawn(process.execPath, [${JSON.stringify(left)}], { detached: true, stdio: "inherit" }).unref();
     process.on("SIGTERM", () => process.exit(4));
     setInterval(() => {}, 1000);`,
  );
  const { child, ran } = start(["--upstream", provider.url, "--", process.execPath, script]);
  await asked.promise;
  const began = performance.now();
  child.kill("SIGTERM");
  // What is left behind has the pipes too, and ends when its call is cut.
  expect(await ran).toMatchObject({ code: 4, out: "cut\n" });
  expect(performance.now() - began).toBeLessThan(9_000);
});

test("what is for the gateway goes to no proxy that the environment names, and who is exempt already stays so", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using proxy = await ScriptedProvider.start(
    (_request, response) => void response.writeHead(418).end(),
  );
  const script = folder.write(
    "agent.mjs",
    `import { get } from "node:http";
     const { status } = await fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST", body: "{}" });
     get("http://elsewhere.test/", ({ statusCode }) => console.log(status, statusCode, process.env.NO_PROXY));`,
  );
  const env = { http_proxy: proxy.url, NODE_USE_ENV_PROXY: "1", NO_PROXY: "a.test, b.test" };
  const { ran } = start(["--upstream", provider.url, "--", process.execPath, script], { env });
  expect((await ran).out).toBe("200 418 a.test,b.test,127.0.0.1,localhost\n");
  expect(proxy.received).toHaveLength(1);
});

test("Codex has its secret in a header that a variable fills, which is taken off; a WebSocket is refused at once", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const codex = folder.write(
    "codex.mjs",
    `import { readFileSync } from "node:fs";
     import { request } from "node:http";
     const [, url] = /"(.*)"/.exec(process.argv[3]);
     const headers = { "OpenAI-Project": process.env.OPENAI_PROJECT };
     const ask = async (headers) => (await fetch(url + "/responses", { method: "POST", body: "{}", headers })).status;
     const upgrade = { ...headers, connection: "upgrade", upgrade: "websocket" };
     request(url + "/responses", { headers: upgrade }, async (answer) => {
       const said = [answer.statusCode, await ask(headers), await ask({}), await ask({ "OpenAI-Project": "guess" })];
       // What all other users of the machine can read too.
       const token = headers["OpenAI-Project"].split(".")[0];
       // By both ways, as a program does that has the address and the variable.
       const url = process.env.OPENAI_BASE_URL + "/responses";
       await fetch(url, { method: "POST", body: "{}", headers: { ...headers, referer: url, "x-note": token } });
       console.log(...said, token.length, readFileSync("/proc/self/cmdline", "utf8").includes(token));
     }).end();`,
  );
  const asked = async (env: Readonly<Record<string, string>>) =>
    (await start(["--upstream", provider.url, "--", process.execPath, codex], { env }).ran).out;
  expect(await asked({ OPENAI_PROJECT: "" })).toBe("426 200 401 401 32 false\n");
  expect(await asked({ OPENAI_PROJECT: "proj_1.eu" })).toBe("426 200 401 401 32 false\n");
  const [none = "", noneTwice = "", ...own] = provider.received.map(({ headers }) => headers.join("\n"));
  for (const one of [none, noneTwice]) expect(one).not.toMatch(/openai-project|x-note/i);
  expect(noneTwice).toMatch(/^referer\nhttp:\/\/127\.0\.0\.1:\d+\/v1\/responses$/im);
  for (const one of own) expect(one).toMatch(/^openai-project\nproj_1\.eu$/im);
  expect(own).toHaveLength(2);
});

test.each([
  [{}, "127.0.0.1,localhost", "127.0.0.1,localhost"],
  [{ no_proxy: "a.test" }, "a.test,127.0.0.1,localhost", "a.test,127.0.0.1,localhost"],
  [{ no_proxy: "a.test", NO_PROXY: "*" }, "a.test,127.0.0.1,localhost", "*"],
  [{ NO_PROXY: "localhost" }, "localhost,127.0.0.1", "localhost,127.0.0.1"],
])("hosts without a proxy, where the environment has %j", async (env, no_proxy, NO_PROXY) => {
  await using ending = new AsyncDisposableStack();
  const address = { origin: "http://127.0.0.1:1", token: "x" };
  const gateway = { address, hook: ["troupe", "hook"], cwd: "/", ending };
  const told = await behindGateway({ program: "agent", args: [], env }, gateway);
  expect(told.env).toMatchObject({ no_proxy, NO_PROXY });
});

test("agents are told by the variables of their SDKs, and by words of their own", async () => {
  await using ending = new AsyncDisposableStack();
  const gateway = { address, hook: ["node", "it's.js", "hook"], cwd: "/nowhere", ending };
  const told = async (program: string, env = {}) => {
    const agent = await behindGateway({ program, args: ["-p", "hi"], env }, gateway);
    // Everybody on a machine can read a command line.
    expect(agent.args.join(" ")).not.toContain("s3cret");
    return agent;
  };
  const claude = await told("/usr/bin/claude", { HOME: "/h", OPENAI_BASE_URL: "https://old" });
  expect(claude.env).toEqual({
    HOME: "/h",
    OPENAI_BASE_URL: "http://g/t/s3cret/v1",
    ANTHROPIC_BASE_URL: "http://g/t/s3cret",
    GOOGLE_GEMINI_BASE_URL: "http://g/t/s3cret",
    TROUPE_GATEWAY_URL: "http://g/t/s3cret",
    no_proxy: "127.0.0.1,localhost",
    NO_PROXY: "127.0.0.1,localhost",
  });
  const [flag, settings = "", ...rest] = claude.args;
  expect([flag, ...rest]).toEqual(["--settings", "-p", "hi"]);
  expect([statSync(settings).mode & 0o777, statSync(dirname(settings)).mode & 0o777]).toEqual([0o600, 0o700]);
  const ours = { hooks: [{ type: "http", url: "http://g/t/s3cret/hooks/claude", timeout: 60 }] };
  expect(JSON.parse(readFileSync(settings, "utf8"))).toMatchObject({
    // What stands in a project's file counts less.
    env: { ANTHROPIC_BASE_URL: "http://g/t/s3cret" },
    disableAllHooks: false,
    hooks: { PreToolUse: [ours] },
  });
  const codex = await told("codex");
  expect(codex.args.slice(0, 2)).toEqual(["-c", 'openai_base_url="http://g/v1"']);
  expect(codex.args.slice(-2)).toEqual(["-p", "hi"]);
  expect(codex.env).toMatchObject({ OPENAI_PROJECT: "s3cret" });
  expect((await told("codex", { OPENAI_PROJECT: "p.1" })).env).toMatchObject({
    OPENAI_PROJECT: "s3cret.p.1",
  });
  const opencode = (await told("opencode")).env["OPENCODE_CONFIG_CONTENT"] ?? "";
  expect(JSON.parse(opencode).provider.anthropic.options.baseURL).toBe("http://g/t/s3cret/v1");
  await ending.disposeAsync();
  expect(existsSync(dirname(settings))).toBe(false);
});

test.each([
  ["npx", ["-y", "@openai/codex@latest"], undefined],
  ["/usr/bin/npx", ["codex"], "codex"],
  ["pnpm", ["dlx", "@openai/codex"], undefined],
  ["node", ["--no-warnings", "/opt/codex.js"], undefined],
  ["npx", ["-p", "tools", "codex"], "codex"],
  ["npx", ["-p", "@openai/codex", "codex"], undefined],
  ["npm", ["exec", "--package", "@openai/codex", "--", "codex"], undefined],
  ["node", ["--env-file", ".env", "--import", "./x.mjs", "/opt/codex.js"], undefined],
  ["my-codex", [], "codex"],
])("%s %j: what is the agent's comes behind what is its launcher's", async (program, before, agent) => {
  await using ending = new AsyncDisposableStack();
  const gateway = { address, hook: [], cwd: "/nowhere", ending };
  const { args } = await behindGateway({ program, args: [...before, "hi"], env: {} }, gateway, agent);
  expect(args.slice(0, before.length + 2)).toEqual([...before, "-c", 'openai_base_url="http://g/v1"']);
  expect(args.at(-1)).toBe("hi");
});

test("an agent's name among the arguments of another program makes it none", async () => {
  await using ending = new AsyncDisposableStack();
  const gateway = { address, hook: [], cwd: "/nowhere", ending };
  for (const [program, args] of [
    ["npx", ["eslint", "codex"]],
    ["npx", ["-c", "codex"]],
    ["npm", ["exec", "-c", "codex", "codex"]],
    ["node", ["-e", "1", "codex"]],
    ["cat", ["claude"]],
  ] as const)
    expect((await behindGateway({ program, args, env: {} }, gateway)).args).toEqual(args);
});

test("what an agent was told already stays beside what it is told for the run", async () => {
  await using ending = new AsyncDisposableStack();
  using home = new PluginFolder();
  const gateway = {
    address,
    hook: ["node", "it's.js", "hook"],
    cwd: join(home.path, "project"),
    ending,
  };
  const told = (program: string, args: readonly string[], env = {}) =>
    behindGateway({ program, args, env }, gateway);
  const own = JSON.stringify({ model: "opus", hooks: { PreToolUse: ["mine"], Stop: ["mine too"] } });
  const file = home.write("settings.json", own);
  for (const args of [
    ["--settings", own, "-p"],
    [`--settings=${file}`, "-p"],
  ]) {
    const [flag, settings = "", ...rest] = (await told("claude", args)).args;
    expect([flag, ...rest]).toEqual(["--settings", "-p"]);
    const { model, hooks } = JSON.parse(readFileSync(settings, "utf8"));
    expect([model, hooks.PreToolUse[0], hooks.PreToolUse.length, hooks.Stop[0]]).toEqual([
      "opus",
      "mine",
      2,
      "mine too",
    ]);
  }
  const config = JSON.stringify({
    theme: "t",
    plugin: ["mine"],
    provider: { openai: { options: { apiKey: "k" } } },
  });
  const opencode = (await told("opencode", [], { OPENCODE_CONFIG_CONTENT: config })).env[
    "OPENCODE_CONFIG_CONTENT"
  ];
  expect(JSON.parse(opencode ?? "")).toMatchObject({
    theme: "t",
    plugin: ["mine", expect.stringContaining("opencode-plugin")],
    provider: { openai: { options: { apiKey: "k", baseURL: "http://g/t/s3cret/v1" } } },
  });

  home.write(".gemini/history/h.txt", "kept");
  home.write(
    ".gemini/settings.json",
    '{ /* mine */ "ui": { "note": "// no comment" }, "hooks": { "BeforeTool": ["mine"] } }',
  );
  const gemini = (await told("gemini", [], { HOME: home.path })).env["GEMINI_CLI_HOME"] ?? "";
  const settings = JSON.parse(readFileSync(join(gemini, ".gemini/settings.json"), "utf8"));
  expect(settings).toMatchObject({
    ui: { note: "// no comment" },
    security: { auth: { selectedType: "gemini-api-key" } },
    hooks: { BeforeTool: ["mine", { hooks: [{ command: "'node' 'it'\\''s.js' 'hook' 'gemini'" }] }] },
  });
  expect(readFileSync(join(gemini, ".gemini/history/h.txt"), "utf8")).toBe("kept");
  await ending.disposeAsync();
  expect(existsSync(gemini)).toBe(false);
  expect(readFileSync(join(home.path, ".gemini/history/h.txt"), "utf8")).toBe("kept");

  for (const past of [
    '{"security":{"auth":{}}}',
    '{"hooksConfig":{"enabled":false}}',
    '{"hooksConfig":{"disabled":["troupe"]}}',
  ]) {
    home.write("project/.gemini/settings.json", past);
    await expect(told("gemini", [], { HOME: home.path })).rejects.toMatchObject({
      code: "settings_conflict",
    });
  }
  home.write("project/.gemini/settings.json", "{}");
  home.write(".gemini/settings.json", "{ broken");
  await expect(told("gemini", [], { HOME: home.path })).rejects.toMatchObject({
    code: "settings_unreadable",
  });
});

test("requests go where they were asked to, else where they would have gone", () => {
  const hrefs = (asked: Parameters<typeof upstreamsOf>[0], env = {}) => {
    const { upstreams } = upstreamsOf(asked, env);
    return Object.fromEntries(Object.entries(upstreams).map(([family, url]) => [family, url.href]));
  };
  expect(hrefs({}, { ANTHROPIC_BASE_URL: " " })).toEqual({
    openai: "https://api.openai.com/v1",
    anthropic: "https://api.anthropic.com/",
    gemini: "https://generativelanguage.googleapis.com/",
  });
  expect(hrefs({}, { OPENAI_BASE_URL: "https://proxy.example/openai/v1/" })).toMatchObject({
    openai: "https://proxy.example/openai/v1/",
  });
  expect(hrefs({ any: new URL("http://one/") }, { OPENAI_BASE_URL: "?" })).toEqual({ any: "http://one/" });
});

test("behind the gateway each SDK's path is what it was in front of it, whatever its variable ends with", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  // As the SDKs join them.
  const script = folder.write(
    "sdks.mjs",
    `const { OPENAI_BASE_URL: openai, ANTHROPIC_BASE_URL: anthropic, GOOGLE_GEMINI_BASE_URL: gemini } = process.env;
     const joined = (base, path) => base.replace(/\\/$/, "") + path;
     const ask = (url) => fetch(url, { method: "POST", body: "{}" });
     await ask(joined(openai, "/chat/completions?x=1"));
     await fetch(joined(openai, "/models"));
     await ask(joined(anthropic, "/v1/messages"));
     await ask(joined(gemini, "/v1beta/models/m:generateContent"));`,
  );
  const paths = (openai: string, other = "") => [
    `${openai}/chat/completions?x=1`,
    `${openai}/models`,
    `${other}/v1/messages`,
    `${other}/v1beta/models/m:generateContent`,
  ];
  for (const [openai, other] of [
    ["/v1", ""],
    ["/api/paas/v4", "/v1"],
    ["/v1beta/openai/", "/x/"],
    ["", "/"],
  ] as const) {
    provider.received.length = 0;
    const env = {
      OPENAI_BASE_URL: provider.url + openai,
      ANTHROPIC_BASE_URL: provider.url + other,
      GOOGLE_GEMINI_BASE_URL: provider.url + other,
    };
    const { code, err } = await start(["--no-summary", "--", process.execPath, script], { env }).ran;
    expect([code, err]).toEqual([0, ""]);
    const expected = paths(openai.replace(/\/$/, ""), other.replace(/\/$/, ""));
    expect(provider.received.map(({ url }) => url)).toEqual(expected);
  }
});

test.each([
  ["OPENAI_BASE_URL", "mycorp-proxy/v1", "invalid_option"],
  ["OPENAI_BASE_URL", "localhost:4890", "invalid_option"],
  ["GOOGLE_GEMINI_BASE_URL", "https://proxy.example/?key=hunter2", "invalid_option"],
  ["ANTHROPIC_BASE_URL", "http://user:hunter2@127.0.0.1:1", "key_in_file"],
])("%s=%s is refused by its name, and nobody else is asked in its place", async (variable, value, code) => {
  for (const more of [[], ["--dry-run"]]) {
    const env = { [variable]: value };
    const ran = await start([...more, "--", process.execPath, "-e", "console.log('ran')"], { env }).ran;
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toContain(variable);
    expect(ran.err).toContain(`[config.${code}]`);
    expect(ran.err).not.toContain("hunter2");
  }
});

test("where guardrails of tools are and nobody knows how the agent would ask, the run and its dry run say so", async () => {
  using folder = new PluginFolder();
  const guardrail = `{ kind: "tool_conditional_execution_guardrail", name: "open", handle: () => null }`;
  const plugin = folder.worker("tools", guardrail);
  const words = ["--no-summary", "--plugin", plugin, "--", "env", "X=1", "true"];
  const { code, err } = await start(words).ran;
  expect([code, err]).toEqual([
    0,
    expect.stringMatching(
      /^troupe: warning: guardrails of tools weren't asked: .* env .*--agent claude, .*\n$/,
    ),
  ]);
  const dry = (await start(["--dry-run", ...words]).ran).out;
  expect(dry).toMatch(/\nWould hear of no tool: .*--agent claude, .*\n$/);
  const told = await start(["--dry-run", "--plugin", plugin, "--agent", "claude", "--", "env", "claude"]).ran;
  expect(told.out).not.toContain("Would hear of no tool");
});

test("a known agent that asks nobody is told of where a model asked for tools; an option that has it do so is known before", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reply));
  });
  const guardrail = `{ kind: "tool_conditional_execution_guardrail", name: "open", handle: () => null }`;
  const flags = ["--no-summary", "--upstream", provider.url, "--plugin", folder.worker("tools", guardrail)];
  const script = folder.write(
    "claude.mjs",
    `const base = process.env.ANTHROPIC_BASE_URL;
     await (await fetch(base + "/v1/messages", { method: "POST", body: "{}" })).text();
     if (process.argv.includes("asks"))
       await fetch(base + "/hooks/tool", { method: "POST", body: '{"name":"bash"}' });`,
  );
  const words = (...more: string[]) => [...flags, "--", process.execPath, script, ...more];
  expect((await start(words()).ran).err).toMatch(
    /^troupe: warning: guardrails of tools weren't asked: models asked for tools, and .* asked nobody; .*\n$/,
  );
  expect((await start(words("--bare")).ran).err).toMatch(
    /weren't asked: --bare has claude leave its hooks out\n$/,
  );
  expect((await start(words("asks")).ran).err).toBe("");
  const dry = (await start(["--dry-run", ...words("--bare")]).ran).out;
  expect(dry).toMatch(/\nWould hear of no tool: --bare has claude leave its hooks out\n$/);
});

test("Codex runs a hook of the run's own: a tool that a guardrail refuses ends with the code that blocks it", async () => {
  using folder = new PluginFolder();
  const guardrail = `{ kind: "tool_conditional_execution_guardrail", name: "none", handle: () => "not today" }`;
  const codex = folder.write(
    "codex.mjs",
    `import { createHash } from "node:crypto";
     import { execSync } from "node:child_process";
     const told = Object.fromEntries(process.argv.map((arg) => [arg.split("=", 1)[0], arg]));
     const command = JSON.parse(/command=("(?:[^"\\\\]|\\\\.)*")/.exec(told["hooks.PreToolUse"])[1]);
     // Codex's own way to know it.
     const known = { event_name: "pre_tool_use", hooks: [{ async: false, command, timeout: 60, type: "command" }] };
     const digest = createHash("sha256").update(JSON.stringify(known)).digest("hex");
     const event = { hook_event_name: "PreToolUse", turn_id: "t", tool_name: "Bash", tool_input: { command: "ls" } };
     console.log(told["hooks.state"].includes('config.toml:pre_tool_use:0:0"={trusted_hash="sha256:' + digest + '"'));
     console.log(String(execSync(command, { input: JSON.stringify(event) })));`,
  );
  const flags = ["--plugin", folder.worker("tools", guardrail), "--upstream", "http://127.0.0.1:9"];
  const { out, err } = await start([...flags, "--", process.execPath, codex]).ran;
  expect(out).toBe(
    `true\n${JSON.stringify({ hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "deny", permissionDecisionReason: "not today" } })}\n\n`,
  );
  expect(err).toMatch(/; 1 tool call refused\n {2}refused: not today \(tools\/\w+\)\n$/);
});

test("a trace that can't be written to its end is told of, and the exit code stays the agent's", async () => {
  using folder = new PluginFolder();
  const script = folder.write("agent.mjs", "process.exit(7);");
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const calls = folder.write(
    "calls.mjs",
    'await fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST", body: "{}" }); process.exit(7);',
  );
  for (const file of [script, calls]) {
    const flags = ["--no-summary", "--upstream", provider.url, "--atof", "/dev/full"];
    const { code, err } = await start([...flags, "--", process.execPath, file]).ran;
    expect(code).toBe(7);
    if (file === calls)
      expect(err).toMatch(/^troupe: error: the run didn't end as it should: .*\/dev\/full.*\n$/);
  }
});

test("a signal that comes while a plugin's start hangs and then fails is the run's exit code", async () => {
  using folder = new PluginFolder();
  const plugin = folder.worker("late", "");
  folder.write(
    "late/main.ts",
    `process.kill(process.ppid, "SIGTERM"); setTimeout(() => process.exit(1), 300);`,
  );
  const { code } = await start(["--no-summary", "--plugin", plugin, "--", "true"]).ran;
  expect(code).toBe(143);
});
