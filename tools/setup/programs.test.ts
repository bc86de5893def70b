import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fixture } from "../fixture.ts";
import { wrongNode } from "./node-version.ts";
import { environmentOf, findProgram, type NeededProgram, provideProgram } from "./programs.ts";

const program: NeededProgram = {
  variable: "TROUPE_TEST_LUTE",
  title: "a lute",
  names: ["lute", "mandolin"],
};

test("a program is found by its variable, then in the PATH, best name first", () => {
  using folder = fixture({ "a/mandolin": "", "b/lute": "" });
  for (const file of ["a/mandolin", "b/lute"]) chmodSync(join(folder.root, file), 0o755);
  const PATH = `${join(folder.root, "a")}:${join(folder.root, "b")}`;
  const lute = join(folder.root, "b/lute");
  expect(findProgram(program, { PATH })).toEqual({ program, path: lute, why: "" });
  const mandolin = join(folder.root, "a/mandolin");
  expect(findProgram(program, { PATH, TROUPE_TEST_LUTE: mandolin }).path).toBe(mandolin);
});

test("one that isn't what is needed is passed over for one that is", () => {
  using folder = fixture({ "a/lute": "#!/bin/sh\nexit 1\n", "b/lute": "#!/bin/sh\ntest $1 = play\n" });
  for (const file of ["a/lute", "b/lute"]) chmodSync(join(folder.root, file), 0o755);
  const PATH = `${join(folder.root, "a")}:${join(folder.root, "b")}`;
  const found = findProgram({ ...program, proof: ["play"] }, { PATH });
  expect(found.path).toBe(join(folder.root, "b/lute"));
  expect(findProgram({ ...program, proof: ["sing"] }, { PATH }).why).toBe("a lute is not installed");
  const absolute = { ...program, names: [join(folder.root, "b/lute")], proof: ["play"] };
  expect(findProgram(absolute, { PATH: "/nowhere" }).path).toBe(join(folder.root, "b/lute"));
});

test("what is missing is told to tests with its reason", () => {
  const missing = findProgram(program, { PATH: "/nowhere" });
  const wrong = findProgram(program, { PATH: "/nowhere", TROUPE_TEST_LUTE: "/nowhere/lute" });
  expect(environmentOf([missing])).toEqual({
    TROUPE_TEST_LUTE: "",
    TROUPE_TEST_LUTE_WHY: "a lute is not installed",
  });
  expect(wrong.why).toBe("TROUPE_TEST_LUTE names /nowhere/lute, which is not there");
});

test("an older Node is named with what to do", () => {
  expect(wrongNode("24.0.0")).toBeUndefined();
  expect(wrongNode("26.1.0")).toBeUndefined();
  expect(wrongNode("20.20.2")).toMatch(/Node 20\.20\.2.*Node 24[\s\S]*npm install/);
});

test("a missing program is brought, and what keeps it from being brought is told", async () => {
  using folder = fixture({ "a/other": "" });
  const path = join(folder.root, "a/lute");
  const wanted = { ...program, names: [path] };
  const said: string[] = [];
  const brought = await provideProgram(
    {
      ...wanted,
      provide: async (say) => {
        say("building a lute");
        writeFileSync(path, "");
        return undefined;
      },
    },
    {},
    (line) => said.push(line),
  );
  expect(brought).toMatchObject({ path, why: "" });
  expect(said).toEqual(["building a lute"]);
  const nowhere = { ...program, names: ["/nowhere/lute"] };
  const why = async (provide: NeededProgram["provide"]) =>
    (await provideProgram({ ...nowhere, ...(provide && { provide }) }, {}, () => undefined)).why;
  expect(await why(undefined)).toBe("a lute is not installed");
  expect(await why(async () => "there is no wood")).toBe("a lute is not installed, and there is no wood");
  expect(await why(async () => undefined)).toBe("a lute is not installed, and its package did not bring it");
  expect(await why(() => Promise.reject(new Error("no space left")))).toMatch(/, and .*no space left/);
});
