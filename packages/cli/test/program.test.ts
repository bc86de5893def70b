/** The program as it is installed: its version, what it says when it starts, and the file that npm links. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
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

test("to say its version and its help it loads nothing of what its commands need", () => {
  const loads = (...words: readonly string[]): readonly string[] => {
    const program = fileURLToPath(new URL("src/bin.ts", packageOf("cli")));
    const tell = `data:text/javascript,${encodeURIComponent(loadTeller)}`;
    const args = ["--conditions=troupe-source", "--import", tell, program, ...words];
    return execFileSync(process.execPath, args, { encoding: "utf8" }).match(/(?<=^loads ).*$/gm) ?? [];
  };
  for (const words of [["--version"], ["--help"], ["plugins", "--help"]]) {
    const loaded = loads(...words);
    expect(loaded).toContain("cli/src/program.ts");
    expect(loaded.filter((file) => !/^(cli|base)\/|^relay\/src\/(redaction|codecs)\//.test(file))).toEqual(
      [],
    );
    expect(loaded.filter((file) => /\/command\.ts$/.test(file))).toEqual([]);
  }
});

/** Says of each source of ours that a program loads which it is. */
const loadTeller = `
  import { registerHooks } from "node:module";
  registerHooks({
    load(url, context, next) {
      const [, file] = /\\/packages\\/([^/]+\\/src\\/.*)$/.exec(url) ?? [];
      if (file !== undefined) console.log("loads " + file);
      return next(url, context);
    },
  });`;

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
