/** What somebody sees whose program can't start, and doesn't catch it. */
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../storage/test-env.ts";

const CHILD = join(import.meta.dirname, "start-child.ts");

/** What it prints in front of the error's fields. */
function shownBy(port: number, dataDir: string): string {
  const args = ["--conditions=troupe-source", CHILD, `${port}`, dataDir];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status, stderr).toBe(1);
  return stderr.slice(0, stderr.search(/ \{\n {2}\w/));
}

test("a port in use, a path that is no directory: one sentence and the program's own line, no line of Troupe's", async () => {
  using directory = temporaryDirectory();
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as AddressInfo;
  const inUse = shownBy(port, join(directory.path, "data"));
  taken.close();
  const noDirectory = shownBy(0, CHILD);
  for (const [shown, sentence] of [
    [inUse, `Port ${port} of 127.0.0.1 is in use: choose another with \`port\` or TROUPE_PORT`],
    [noDirectory, `The data directory ${CHILD} is, or is in, a file`],
  ] as const) {
    expect(shown).toContain(`\nTroupeError: ${sentence}\n`);
    expect(shown).toMatch(/\n {4}at (?:async )?file:.*start-child\.ts:5:\d+$/);
    expect(shown).not.toContain("runtime/src");
  }
});
