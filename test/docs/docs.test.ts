/** Pages of docs/ whose snippets are one program: it runs, and prints what the page says. */
import { expect, test } from "vitest";
import { runPage, wholePages } from "./page.ts";

// Those with a story of their own need more than Node.
const pages = wholePages.filter((name) => name !== "dynamic-actors");

for (const name of pages) {
  test(`docs/${name}.md does what it says`, async () => {
    const { expected, printed } = await runPage(name);
    expect(expected).not.toBe("");
    expect(printed).toBe(expected);
  });
}
