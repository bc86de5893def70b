/** `troupe run`: an agent behind a gateway of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { behindGateway, upstreamsOf } from "../src/run/agents.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url));

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[]) {
  const env = { ...process.env, XDG_CONFIG_HOME: "/nonexistent" };
  const child = spawn(process.execPath, ["--conditions=troupe-source", bin, "run", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  const ran = Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]).then(
    ([[code], out, err]): Ran => ({ code, out, err }),
  );
  return { child, ran };
}

const reply = {
  type: "message",
  model: "claude-x",
  role: "assistant",
  content: [{ type: "tool_use", id: "t1", name: "bash", input: {} }],
  usage: { input_tokens: 5, output_tokens: 3 },
};

const agent = `
  const base = process.env.ANTHROPIC_BASE_URL;
  const ask = (url) => fetch(url + "/v1/messages", { method: "POST", body: JSON.stringify({ model: process.argv[2] }) });
  console.log((await ask(base)).status, (await ask(base)).status);
  console.log((await ask(new URL(base).origin)).status, (await ask(new URL(base).origin + "/t/guess")).status);
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
  expect(out).toBe("200 200\n401 401\n");
  expect(err).toMatch(
    /^troupe: 2 model calls in [\d.]+ s\n {2}claude-x: 2 calls, 10 tokens in, 6 out\n {2}tools: bash ×2\n$/,
  );
  expect(code).toBe(7);
  expect(provider.received).toHaveLength(2);
});

test("a guardrail's refusals are counted, and nothing of them goes out", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const guardrail = `{ kind: "llm_conditional_execution_guardrail", name: "none", handle: () => "not today" }`;
  const script = folder.write("agent.mjs", agent);
  const plugin = folder.worker("budget", guardrail);
  const flags = ["--upstream", provider.url, "--plugin", plugin];
  const { out, err } = await start([...flags, "--", process.execPath, script, "m-1"]).ran;
  expect(out).toBe("403 403\n401 401\n");
  expect(err).toMatch(/^troupe: 0 model calls in [\d.]+ s, 2 refused\n$/);
  expect(provider.received).toEqual([]);
});

test("a signal goes on to the agent; how a signal ended it is the exit code", async () => {
  using folder = new PluginFolder();
  const patient = folder.write(
    "patient.mjs",
    'process.on("SIGTERM", () => process.exit(3)); console.log("up"); setInterval(() => {}, 1000);',
  );
  const { child, ran } = start(["--no-summary", "--", process.execPath, patient]);
  await once(child.stdout, "readable");
  child.kill("SIGTERM");
  expect(await ran).toMatchObject({ code: 3, err: "" });
  const struck = folder.write("struck.mjs", 'process.kill(process.pid, "SIGKILL");');
  expect(await start(["--no-summary", "--", process.execPath, struck]).ran).toMatchObject({ code: 137 });
});

test("a program that isn't there is an error of ours, and a dry run starts nothing", async () => {
  const missing = await start(["--", "/nowhere/agent"]).ran;
  expect(missing.code).toBe(1);
  expect(missing.err).toMatch(/\/nowhere\/agent can't be started: .*ENOENT.* \[run\.cannot_start\]\n$/);
  const dry = await start(["--dry-run", "--upstream", "http://127.0.0.1:9", "--", "/nowhere/agent", "-x"])
    .ran;
  expect(dry).toMatchObject({ code: 0, err: "" });
  expect(dry.out).toMatch(/Would run \/nowhere\/agent -x\n$/);
});

test("agents are told by the variables of their SDKs, and by words of their own", () => {
  const told = (program: string, env = {}) =>
    behindGateway({ program, args: ["-p", "hi"], env }, "http://g/t/x");
  expect(told("/usr/bin/claude", { HOME: "/h", OPENAI_BASE_URL: "https://old" })).toEqual({
    program: "/usr/bin/claude",
    args: ["-p", "hi"],
    env: {
      HOME: "/h",
      OPENAI_BASE_URL: "http://g/t/x/v1",
      ANTHROPIC_BASE_URL: "http://g/t/x",
      GOOGLE_GEMINI_BASE_URL: "http://g/t/x",
    },
  });
  expect(told("codex").args).toEqual(["-c", 'openai_base_url="http://g/t/x/v1"', "-p", "hi"]);
  const opencode = told("opencode").env["OPENCODE_CONFIG_CONTENT"] ?? "";
  expect(JSON.parse(opencode).provider.anthropic.options.baseURL).toBe("http://g/t/x/v1");
});

test("requests go where they were asked to, else where they would have gone", () => {
  const hrefs = (asked: Parameters<typeof upstreamsOf>[0], env = {}) =>
    Object.fromEntries(Object.entries(upstreamsOf(asked, env)).map(([family, url]) => [family, url.href]));
  expect(hrefs({})).toEqual({
    openai: "https://api.openai.com/",
    anthropic: "https://api.anthropic.com/",
    gemini: "https://generativelanguage.googleapis.com/",
  });
  expect(
    hrefs({}, { OPENAI_BASE_URL: "https://proxy.example/openai/v1/", ANTHROPIC_BASE_URL: "?" }),
  ).toMatchObject({
    openai: "https://proxy.example/openai",
    anthropic: "https://api.anthropic.com/",
  });
  expect(hrefs({ any: new URL("http://one/") })).toEqual({ any: "http://one/" });
});
