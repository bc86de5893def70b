/** docs/plugins/lifecycle.md: its commands, in their order, do what the page says. docs/plugins/actors.md: its programs as well. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { PluginFolder } from "../support/plugin-folder.ts";
import { Started } from "../support/started.ts";
import { Troupe } from "../support/troupe.ts";

const page = readFileSync(new URL("../../../../docs/plugins/lifecycle.md", import.meta.url), "utf8");
const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, text = ""]) => text.trim().split("\n"));

test("the page's commands run one after the other", async (context) => {
  const tools = await promisify(execFile)("make", ["--version"]).catch(() => undefined);
  if (tools === undefined || process.env.TROUPE_TEST_CC === "")
    return context.skip("no make, or no C compiler");
  using troupe = new Troupe();
  expect(lines.length).toBe(9);
  for (const line of lines) {
    const [program = "", ...args] = line.split(" ");
    if (program === "make") await promisify(execFile)(program, args, { cwd: troupe.project });
    else expect(await troupe.plugins(...args.slice(1)), line).toMatchObject({ failed: false });
    if (line.endsWith("list"))
      expect(await troupe.json("list")).toMatchObject({
        plugins: [{ id: "shield", enabled: true, problem: null }],
      });
  }
  expect(await troupe.json("list")).toEqual({ plugins: [] });
});

test("the page has every command that there is, and no other", async () => {
  const { troupeProgram } = await import("../../src/program.ts");
  const program = troupeProgram({ cwd: "/", env: {}, out() {}, fail() {}, asked: async () => "SIGTERM" });
  const commands = program.commands
    .find((one) => one.name() === "plugins")
    ?.commands.map((one) => one.name());
  const rows = [...page.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = ""]) => cell.replaceAll("\\|", "/"));
  const named = rows.flatMap((cell) => [...cell.matchAll(/`([a-z]+)(?: [^`]*)?`/g)].map(([, name]) => name));
  expect(new Set(named.filter((name) => name !== "add"))).toEqual(
    new Set(commands?.filter((name) => name !== "add")),
  );
  expect(commands).toContain("add");
});

const actorsPage = readFileSync(new URL("../../../../docs/plugins/actors.md", import.meta.url), "utf8");
const programs = [...actorsPage.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text = ""]) => text);

test.each(["its own plugin", "an installed one"].map((whose, at) => [whose, at] as const))(
  "the page's program with %s has the plugin's guardrail in force",
  async (_, at) => {
    // The third is one of these, with a word more.
    expect(programs.length).toBe(3);
    using folder = new PluginFolder();
    using troupe = new Troupe();
    const here = (specifier: string): string => JSON.stringify(import.meta.resolve(specifier));
    folder.write(
      "acme/main.ts",
      `import { actor } from ${here("troupe")};
       import { serveWorker } from ${here("troupe/plugins/worker")};
       const handle = ({ action }) => (action === "reset" ? "counts never go back" : null);
       await serveWorker({
         name: "acme",
         actors: { counter: actor({ state: { count: 1 }, actions: { get: (c) => c.state.count, reset: (c) => { c.state.count = 0; } } }) },
         middleware: [{ kind: "action_conditional_execution_guardrail", name: "no-reset", handle }],
       });`,
    );
    const load = 'runtime = "node"\nentrypoint = "main.ts"\nenv = ["NODE_COMPILE_CACHE"]';
    const manifest = folder.manifest("acme", {
      kind: "worker",
      load,
      capabilities: ["actors", "middleware"],
    });
    await troupe.plugins("add", manifest);
    await troupe.plugins("enable", "acme");
    const source = (programs[at] ?? "")
      .replace('"./acme/troupe-plugin.toml"', JSON.stringify(manifest))
      .replace(/"troupe[a-z/]*"/g, (specifier) => here(JSON.parse(specifier)));
    const program = folder.write("program.ts", source);
    // What `troupe start` brings itself is another story.
    await using started = Started.troupe(["start", program, "--port", "0", "--no-installed"], {
      XDG_CONFIG_HOME: troupe.config,
      TROUPE_DURABILITY: "memory",
    });
    const [, endpoint = ""] = /(http:\S+)/.exec(await started.said(/http:\S+ /)) ?? [];
    const call = async (action: string): Promise<string> =>
      await (
        await fetch(`${endpoint}/actor/counter/action/${action}?key=a`, { method: "POST", body: "{}" })
      ).text();
    expect(await call("reset")).toContain("guardrail_rejected");
    expect(await call("get")).toContain("1");
  },
);
