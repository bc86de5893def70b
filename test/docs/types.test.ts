/** The pages' programs compile under `strict`: who copies one begins with it. Together, in one run of the compiler. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { command } from "../../tools/command.ts";
import { wholePages } from "./page.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const fence =
  /(?:^`(?<named>[\w.]+\.tsx?)`[^\n]*\n(?:[^\n]+\n)*\n)?^```(?<extension>tsx?)\n(?<code>.*?)^```/gms;

/** The files of a page. What begins with no import, or imports a file that the page doesn't show, is part of another program. */
function filesOf(name: string, text: string): Map<string, string> {
  const blocks = [...text.matchAll(fence)].map(({ groups = {} }) => groups);
  if (wholePages.includes(name)) return new Map([["page.ts", blocks.map(({ code }) => code).join("\n")]]);
  const files = blocks.flatMap(({ named, extension, code = "" }, n): [string, string][] => {
    const [, called = `${n}.${extension}`] = /^\/\/ ([\w.]+\.tsx?)\n/.exec(code) ?? [];
    return /^(\/\/.*\n)*import /.test(code) ? [[named ?? called, code]] : [];
  });
  const known = new Set(files.map(([file]) => file));
  const imports = (code: string) => [...code.matchAll(/from "\.\/(.+?)"/g)].map(([, file = ""]) => file);
  return new Map(files.filter(([, code]) => imports(code).every((file) => known.has(file))));
}

function pages(): string[] {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  return ["README.md", ...docs.filter((file) => file.endsWith(".md")).map((file) => join("docs", file))];
}

test("each program of README and docs/ compiles under strict", async () => {
  const folder = mkdtempSync(join(root, "test/docs/.run-"));
  try {
    let programs = 0;
    for (const page of pages()) {
      const name = page.replace(/^docs\//, "").replace(/\.md$/, "");
      for (const [file, code] of filesOf(name, readFileSync(join(root, page), "utf8"))) {
        const path = join(folder, name, file);
        mkdirSync(dirname(path), { recursive: true });
        // A program without imports or exports of its own shares its names with no other.
        writeFileSync(path, `${code}\nexport {};\n`);
        programs += 1;
      }
    }
    expect(programs).toBeGreaterThan(45);
    // Not part of `strict`: it makes a question of each action of an actor whose types nobody knows.
    const compilerOptions = { noUncheckedIndexedAccess: false };
    const config = { extends: "../../../tsconfig.json", compilerOptions, include: ["**/*"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const { status, output } = await command(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", "."],
      {
        cwd: folder,
        timeoutMs: 120_000,
      },
    );
    expect(output).toBe("");
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
