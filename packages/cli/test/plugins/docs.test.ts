/** docs/plugins/lifecycle.md: its commands, in their order, do what the page says. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
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
