/** Pages of docs/ whose snippets are one program: it runs, and prints what the page says. */
import { expect, test } from "vitest";
import { runPage } from "./page.ts";

const pages = [
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
];

for (const name of pages) {
  test(`docs/${name}.md does what it says`, async () => {
    const { expected, printed } = await runPage(name);
    expect(expected).not.toBe("");
    expect(printed).toBe(expected);
  });
}
