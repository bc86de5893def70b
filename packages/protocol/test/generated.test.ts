/** The codecs in src/generated are what the generator makes of the schemas. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { splitCodecs } from "../../../tools/split-codecs.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

test("the generated codecs are those of the schemas: run `npm run proto` after a change", () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-proto-"));
  try {
    execFileSync("buf", ["generate", "--output", folder], { cwd: root, stdio: "pipe" });
    const made = new Map(
      [...sources(join(folder, "src/generated"))].map(([file, text]) => [file, splitCodecs(text)]),
    );
    expect(made.size).toBeGreaterThan(2);
    expect(sources(join(root, "src/generated"))).toEqual(made);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function sources(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  return new Map(files.sort().map((file) => [file, readFileSync(join(folder, file), "utf8")]));
}
