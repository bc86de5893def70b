/** A page of docs/ as a program: its `ts` blocks, one after the other, print its `text` blocks. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Pages of docs/ whose snippets are one program. */
export const wholePages: readonly string[] = [
  "http",
  "lifecycle",
  "setup",
  "options",
  "streaming",
  "client",
  "inspector",
  "codecs",
  "exporters",
  "components",
  "agent-os-workshop",
  "dynamic-actors",
];

/** What a page says, and what running it says. */
export interface PageRun {
  readonly expected: string;
  readonly printed: string;
}

/** Runs `docs/<name>.md`. Rejects when its program fails, or takes longer than 20 s. */
export async function runPage(name: string): Promise<PageRun> {
  const page = readFileSync(join(root, "docs", `${name}.md`), "utf8");
  // Inside the repository, so that `troupe` is found as in a user's project.
  const folder = mkdtempSync(join(root, "test/docs/.run-"));
  try {
    const program = join(folder, `${name}.ts`);
    writeFileSync(program, blocks(page, "ts").join("\n"));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--conditions=troupe-source", "--disable-warning=ExperimentalWarning", program],
      { cwd: folder, timeout: 20_000 },
    );
    return { expected: blocks(page, "text").join("").trim(), printed: stdout.trim() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function blocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, text = ""]) => text,
  );
}
