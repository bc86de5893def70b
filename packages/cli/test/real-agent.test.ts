/**
 * A real agent, Gemini CLI as npm has it, with nothing of its own changed but its HOME: its models are a scripted provider on
 * this machine, and a guardrail says which tools it may use.
 */
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startRun } from "./support/agent-run.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";
import { Troupe } from "./support/troupe.ts";

const noShell = `{
  kind: "tool_conditional_execution_guardrail",
  name: "no-shell",
  handle: ({ toolName }) => (toolName === "run_shell_command" ? "no shell here" : null),
}`;

/** What the model asks for, turn after turn. */
const turns = [
  { name: "read_file", args: { file_path: "note.txt" } },
  { name: "run_shell_command", args: { command: "touch owned.txt", description: "marks the place" } },
  { name: "read_file", args: { file_path: "note.txt" } },
];

/** A user's own settings, comment and all; this many turns end the agent with 53. */
const settings = `{
  // mine
  "model": { "maxSessionTurns": 3 },
  "ui": { "theme": "GitHub" }
}`;

function answerOf(turn: number): string {
  const chunk = {
    candidates: [
      { content: { role: "model", parts: [{ functionCall: turns[turn] }] }, finishReason: "STOP" },
    ],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 },
    modelVersion: "gemini-2.5-flash",
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

test("Gemini CLI reads a file, is refused its shell, and is told so; the trace has all of it, and its user's files nothing", async (context) => {
  const gemini = process.env.TROUPE_TEST_GEMINI ?? "";
  if (gemini === "") return context.skip(process.env.TROUPE_TEST_GEMINI_WHY ?? "no Gemini CLI");
  using folder = new PluginFolder();
  using home = new PluginFolder();
  using troupe = new Troupe();
  home.write(".gemini/settings.json", settings);
  folder.write("project/note.txt", "The secret is tulip.");
  const trace = join(folder.path, "trace.jsonl");
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(answerOf(provider.received.length - 1));
  });
  const before = { home: home.digest(), temporary: runsIn(tmpdir()) };

  const flags = ["--upstream", provider.url, "--plugin", folder.worker("guard", noShell), "--atof", trace];
  const words = [
    "-m",
    "gemini-2.5-flash",
    "--skip-trust",
    "--approval-mode",
    "yolo",
    "-p",
    "what is the secret?",
  ];
  const { ran } = startRun([...flags, "--", gemini, ...words], {
    cwd: join(folder.path, "project"),
    env: { HOME: home.path, GEMINI_API_KEY: "sk-mine" },
  });
  const { code, err } = await ran;

  // What the agent was told, it told the model.
  const results = provider.received.slice(1).map(({ body }) => lastResult(JSON.parse(`${body}`)));
  expect(results).toEqual([
    { output: expect.stringContaining("The secret is tulip.") },
    { error: expect.stringContaining("no shell here") },
  ]);
  expect(existsSync(join(folder.path, "project/owned.txt"))).toBe(false);
  expect(err).toMatch(
    /troupe: 3 model calls in [\d.]+ s; 1 tool call refused\n {2}gemini-2.5-flash: 3 calls, 15 tokens in, 6 out/,
  );
  // The agent's own word for "too many turns".
  expect(code).toBe(53);

  const shown = await troupe.run("trace", trace);
  expect(shown.out).toContain("guard/no-shell");
  expect(shown.out).toContain("no shell here");
  expect(shown.out).not.toContain("sk-mine");
  expect({ home: home.digest(), temporary: runsIn(tmpdir()) }).toEqual(before);
});

function runsIn(path: string): string[] {
  return readdirSync(path).filter((name) => name.startsWith("troupe-gemini-"));
}

function lastResult(request: {
  contents: { parts: { functionResponse?: { response: unknown } }[] }[];
}): unknown {
  return request.contents.at(-1)?.parts[0]?.functionResponse?.response;
}
