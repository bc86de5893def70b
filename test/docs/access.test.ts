/** docs/access.md: each program prints what stands behind it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { command } from "../../tools/command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(new URL("../../docs/access.md", import.meta.url), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);
const printed = blocks("text");

test.each(blocks("ts").map((code, n) => [n, code] as const))(
  "program %i prints what it should",
  async (n, code) => {
    const flags = ["--conditions=troupe-source", "--input-type=module-typescript", "--eval", code];
    const { status, output } = await command(process.execPath, flags, { cwd: root });
    expect(output).toBe(printed[n]);
    expect(status).toBe(0);
  },
);
