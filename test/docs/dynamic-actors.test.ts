/** docs/dynamic-actors.md is one program: it runs, and prints what the page says. */
import { expect, test } from "vitest";
import { needsPackage } from "../../packages/plugins/test/support/native-package.ts";
import { runPage } from "./page.ts";

needsPackage("isolated-vm");

test("docs/dynamic-actors.md does what it says", async () => {
  const { expected, printed } = await runPage("dynamic-actors");
  expect(expected).not.toBe("");
  expect(printed).toBe(expected);
});
