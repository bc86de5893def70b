/** How a command that failed says so. */
import { expect, test } from "vitest";
import { runErrors } from "../src/errors.ts";
import { failureOf } from "../src/failure.ts";
import { troupeProgram } from "../src/program.ts";

/** What is said of what was typed. */
async function failed(...words: string[]) {
  const program = troupeProgram({
    cwd: "/",
    env: {},
    out: () => {},
    fail: () => {},
    asked: async () => "SIGTERM",
  });
  const error: unknown = await program.parseAsync(words, { from: "user" }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return failureOf(error, words);
}

test.each([
  [["gateway", "--bynd", "x"], /unknown option '--bynd' \(Did you mean --bind\?\)/],
  [["trace"], /missing required argument 'file'/],
  [["plugins", "inspect"], /missing required argument 'plugin'/],
  [["plugins", "lst"], /unknown command 'lst'/],
  [["plugins", "new", "x"], /required option '--lang <c\|.*>' not specified/],
  [["nothing"], /unknown command 'nothing'/],
])("%j is refused in a line, and as JSON where that was asked for", async (words, told) => {
  const plain = await failed(...words);
  expect(plain).toMatchObject({ exitCode: 1, out: "" });
  expect(plain.err).toMatch(/^troupe: .* \[config\.usage\]\n$/);
  expect(plain.err).toMatch(told);
  const json = await failed(...words, "--json");
  const { error } = JSON.parse(json.out);
  expect([error.group, error.code]).toEqual(["config", "usage"]);
});

test("help and a version are no failures, and help that was needed is one that has been said", async () => {
  expect(await failed("--version")).toEqual({ exitCode: 0, out: "", err: "" });
  expect(await failed("plugins", "--help")).toEqual({ exitCode: 0, out: "", err: "" });
  expect(await failed("plugins")).toEqual({ exitCode: 1, out: "", err: "" });
});

test("--json behind -- is another program's word", () => {
  const error = runErrors.notFound("claude", undefined);
  expect(failureOf(error, ["run", "--", "claude", "--json"])).toMatchObject({ exitCode: 127, out: "" });
  expect(failureOf(error, ["run", "--json", "--", "claude"]).out).toContain('"not_found"');
  expect(failureOf(new Error("x"), ["--json"])).toEqual({ exitCode: 1, out: "", err: "troupe: Error: x\n" });
});
