/** What isn't an argument or an option is refused by name, before anything boots. */
import { type AgentOSConfig, agentOS } from "@troupe/agent-os";
import { expect, test } from "vitest";
import { Driver } from "../../../runtime/test/driver/driver.ts";
import { HeldDriver } from "../support/held-driver.ts";

/** As a program without types gives it. */
const given = <T>(value: unknown): T => value as T;

test.each<[string, unknown, string]>([
  [
    "a misspelt option",
    { agent: {} },
    'config.unknown_option: agentOS has no option "agent". Did you mean "agents"?',
  ],
  [
    "a misspelt option of an agent",
    { agents: { coder: { command: "x", arg: [] } } },
    'config.unknown_option: agents.coder has no option "arg". Did you mean "args"?',
  ],
  ["one that is near to nothing", { zebra: 1 }, 'config.unknown_option: agentOS has no option "zebra"'],
  [
    "an agent's args as one text",
    { agents: { coder: { command: "x", args: "y" } } },
    'config.invalid_option: agentOS: "agents.coder.args" must be a list of texts without null bytes',
  ],
  [
    "an agent's args with a null byte",
    { agents: { coder: { command: "x", args: ["a\0b"] } } },
    'config.invalid_option: agentOS: "agents.coder.args" must be a list of texts without null bytes',
  ],
  [
    "an agent's command with a null byte",
    { agents: { coder: { command: "a\0b" } } },
    'config.invalid_option: agentOS: "agents.coder" must be an object with a `command`',
  ],
  [
    "a variable with a null byte",
    { agents: { coder: { command: "x", env: { N: "a\0b" } } } },
    'config.invalid_option: agentOS: "agents.coder.env" must be texts by their names, without null bytes, and no = in a name',
  ],
  [
    "a variable that is a number",
    { agents: { coder: { command: "x", env: { N: 1 } } } },
    'config.invalid_option: agentOS: "agents.coder.env" must be texts by their names, without null bytes, and no = in a name',
  ],
  [
    "a variable with = in its name",
    { agents: { coder: { command: "x", env: { "C=D": "e" } } } },
    'config.invalid_option: agentOS: "agents.coder.env" must be texts by their names, without null bytes, and no = in a name',
  ],
  [
    "an agent's directory that is none",
    { agents: { coder: { command: "x", cwd: "" } } },
    'config.invalid_option: agentOS: "agents.coder.cwd" must be a path',
  ],
  [
    "an MCP server without a name",
    { agents: { coder: { command: "x", mcpServers: [{ foo: 1 }] } } },
    'config.invalid_option: agentOS: "agents.coder.mcpServers[0]" must be an MCP server as ACP has them: { name, command, args, env } or { type: "http" | "sse", name, url, headers }, where env and headers are lists of { name, value }',
  ],
  [
    "no object",
    "fast",
    'config.invalid_option: agentOS: "agentOS()" must be called with an object, or with nothing',
  ],
])("agentOS refuses %s", (_what, config, expected) => {
  let said = "nothing";
  try {
    agentOS(given<AgentOSConfig>(config));
  } catch (error) {
    const { group, code, message } = error as { group: string; code: string; message: string };
    said = `${group}.${code}: ${message}`;
  }
  expect(said).toBe(expected);
});

test("an MCP server is one as ACP has them", () => {
  const own = { name: "own", command: "own", args: ["a"], env: [{ name: "A", value: "1" }] };
  const far = { type: "http", name: "far", url: "https://far/mcp", headers: [{ name: "A", value: "1" }] };
  const made = (...mcpServers: unknown[]) =>
    agentOS(given<AgentOSConfig>({ agents: { coder: { command: "x", mcpServers } } }));
  made(own, far, { ...far, type: "sse" });
  for (const wrong of [
    null,
    {},
    { ...own, name: 5 },
    { ...own, command: 5 },
    { ...own, args: undefined },
    { ...own, env: { A: "1" } },
    { ...far, url: 5 },
    { ...far, url: "nowhere" },
    { ...far, headers: undefined },
    { ...far, type: "tcp" },
  ])
    expect(() => made(own, wrong), JSON.stringify(wrong)).toThrow(/mcpServers\[1\]/);
});

test("actions refuse what isn't a command, a path, a content or an option, and boot nothing for it", async () => {
  const sandbox = new HeldDriver();
  await using driver = await Driver.start({ workspace: agentOS({ sandbox }) }, { databases: true });
  const answer = async (action: string, ...args: unknown[]) => {
    const { code, error } = await driver.act("workspace", action, ...args);
    return `${code}: ${error?.message}`;
  };
  const text = (name: string) => `sandbox.invalid_argument: ${name} must be a text`;
  expect(await answer("exec", 5)).toBe(text("command"));
  expect(await answer("exec")).toBe(text("command"));
  expect(await answer("exec", "ls", { timeout: 5 })).toBe(
    'sandbox.unknown_option: exec has no option "timeout". Did you mean "timeoutMs"?',
  );
  expect(await answer("exec", "ls", { cwd: 1 })).toBe(text("cwd"));
  expect(await answer("exec", "ls", { env: { A: 1 } })).toBe(text("env.A"));
  expect(await answer("exec", "ls", "quick")).toBe("sandbox.invalid_argument: options must be an object");
  for (const action of ["readFile", "stat", "exists", "readdir", "mkdir", "remove", "writeFile"])
    expect(await answer(action, null)).toBe(text("path"));
  expect(await answer("move", "/a")).toBe(text("to"));
  expect(await answer("writeFile", "/a", { no: "bytes" })).toBe(
    "sandbox.invalid_argument: content must be a text or bytes",
  );
  expect(sandbox.story).toEqual([]);
});
