/** Whoever runs the program on a Node that is too old is told so in one line. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("../bin.js", import.meta.url));
const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** The program on a Node that takes itself for another. */
function on(node: string, ...args: readonly string[]) {
  const versions = `{ value: { ...process.versions, node: ${JSON.stringify(node)} } }`;
  const older = `data:text/javascript,Object.defineProperty(process, "versions", ${versions})`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", older, program, ...args], {
    encoding: "utf8",
    env: {},
    input: "",
  });
  return { status, stdout, stderr };
}

test("an old Node is told in one line; a hook that couldn't ask blocks", () => {
  const stderr = "troupe needs Node 24 or newer; this is 20.20.2\n";
  for (const command of [["doctor"], ["--version"], [], ["run", "--", "hook"]])
    expect(on("20.20.2", ...command)).toEqual({ status: 1, stdout: "", stderr });
  expect(on("20.20.2", "hook", "claude")).toEqual({ status: 2, stdout: "", stderr });
  expect(on("9.0.0")).toMatchObject({ status: 1, stderr: expect.stringContaining("this is 9.0.0") });
});

test("the line says what the package says", () => {
  expect(engines.node).toBe(">=24");
  expect(on("23.11.0").status).toBe(1);
  expect(on("24.0.0", "hook", "claude").stderr).not.toContain("needs Node");
});
