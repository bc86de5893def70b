/** The program as it is installed: its version, what it says when it starts, and the file that npm links. */
import { accessSync, constants, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { troupeProgram } from "../src/program.ts";

const packageOf = (name: string) => new URL(`../../${name}/`, import.meta.url);
const manifestOf = (name: string) =>
  JSON.parse(readFileSync(new URL("package.json", packageOf(name)), "utf8"));

/** What it says in a run that is asked to end as soon as it has started. */
async function said(...args: string[]): Promise<string> {
  let text = "";
  const out = (more: string): void => {
    text += more;
  };
  const program = troupeProgram({
    cwd: "/",
    env: {},
    out,
    fail: () => {},
    asked: async () => "SIGTERM",
  });
  program.exitOverride().configureOutput({ writeOut: out });
  await program.parseAsync(args, { from: "user" }).catch((cause: { code: string }) => out(cause.code));
  return text;
}

test("--version is the package's", async () => {
  expect(await said("--version")).toBe(`${manifestOf("troupe").version}\ncommander.version`);
});

test("a gateway says where model calls go, and that they go nowhere", async () => {
  const bind = ["gateway", "--bind", "127.0.0.1:0"];
  expect(await said(...bind, "--upstream", "http://127.0.0.1:9")).toMatch(
    /^Model calls go to http:\/\/127\.0\.0\.1:9\/\nListening at /,
  );
  expect(await said(...bind)).toMatch(/^Model calls are refused: --upstream is not given\nListening at /);
  expect(JSON.parse(await said(...bind, "--json"))).toMatchObject({ upstreams: {} });
});

test("what npm links as the program is in the repository, not in the build: a clone has it when it installs", () => {
  const { bin, files } = manifestOf("troupe");
  expect(bin.troupe).not.toMatch(/dist/);
  expect(files).toContain(bin.troupe);
  accessSync(new URL(bin.troupe, packageOf("troupe")), constants.X_OK);
});
