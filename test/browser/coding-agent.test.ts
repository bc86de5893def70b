/** The coding agent on real input: two tabs, its questions answered in either, files, the terminal, and kill -9 between. */
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { Example, needBuild } from "../examples/example.ts";
import { Chromium, findChromium } from "./chromium.ts";

beforeAll(needBuild, 180_000);

test("the agent writes and runs what it was allowed to; both tabs see it, and a server that was killed brings it back", async (context) => {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  await using example = await Example.start("coding-agent");
  await using chromium = await Chromium.launch(found.path);

  const one = await chromium.open(example.url);
  const other = await chromium.open(example.url);
  await Promise.all([one, other].map((page) => page.getByText("Connected").waitFor()));
  await one.getByLabel("Message").fill("Find some primes <b>please</b>");
  await one.getByLabel("Message").press("Enter");
  await other.getByText("Find some primes <b>please</b>").waitFor();

  // A question is everybody's, and gone for all of them with the first answer.
  await Promise.all([one, other].map((page) => page.getByRole("button", { name: "Allow" }).waitFor()));
  await other.getByRole("button", { name: "Allow" }).click();
  await one.getByText("That is written.").waitFor();
  await one.getByRole("button", { name: "Allow" }).click();
  await Promise.all([one, other].map((page) => page.getByText("Done: 10 primes up to 30").waitFor()));
  await other.getByRole("button", { name: "primes.txt" }).waitFor();

  await other.getByRole("button", { name: "primes.txt" }).click();
  await other.locator("#viewer-text", { hasText: "29" }).waitFor();
  await type(other, "cd primes && wc -l < primes.txt > count.txt && cat count.txt");
  await other.locator("#screen .xterm-rows > div", { hasText: /^\s*10$/ }).waitFor();
  await other.getByRole("button", { name: "count.txt" }).waitFor();
  await resized(other);
  // One terminal for all: who types in another tab types in the same shell, and a page that comes again shows it as it was.
  await type(one, "printf '\\033[32m%s\\033[0m\\n' $PWD");
  for (const page of [one, other])
    await page.locator("#screen .xterm-fg-2", { hasText: /^\/home\/user\/primes\s*$/ }).waitFor();
  const shown = await screenOf(one);
  await one.reload();
  await one.locator("#screen .xterm-fg-2").waitFor();
  expect(await screenOf(one)).toBe(shown);

  await example.kill();
  await one.getByText("Connecting…").waitFor();
  await example.restart();
  await one.getByText("Connected").waitFor();
  const late = await chromium.open(example.url);
  await late.getByText("Done: 10 primes up to 30").waitFor();
  await late.getByRole("button", { name: "count.txt" }).waitFor();
  const said = (page: typeof one) => page.locator(".items > *:not(.note)").allTextContents();
  expect(await said(late)).toEqual(await said(one));

  // The shell has ended with its server; a new one is there.
  await type(late, "cat primes/count.txt");
  await late.locator("#screen .xterm-rows > div", { hasText: /^\s*10$/ }).waitFor();

  await late.getByLabel("Message").fill("Once more");
  await late.getByLabel("Message").press("Enter");
  await late.getByRole("button", { name: "Don’t" }).click();
  await late.getByText("The user doesn’t want that").waitFor();

  // On a phone an open file is in the terminal's place.
  const phone = await chromium.open(example.url, { viewport: { width: 390, height: 844 } });
  await phone.getByRole("button", { name: "count.txt" }).click();
  await phone.locator("#viewer-text", { hasText: "10" }).waitFor();
  await phone.locator("#screen").waitFor({ state: "hidden" });
  await phone.getByRole("button", { name: "Close" }).click();
  await phone.locator("#screen").waitFor();

  const killed = /ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE)/;
  expect(chromium.complaints.filter((text) => !killed.test(text))).toEqual([]);
}, 90_000);

async function type(page: Page, line: string): Promise<void> {
  await page.locator("#screen .xterm-rows > div", { hasText: "$" }).first().waitFor();
  await page.locator("#screen").click();
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
}

/** All rows that have something in them. */
async function screenOf(page: Page): Promise<string> {
  const rows = await page.locator("#screen .xterm-rows > div").allTextContents();
  return rows
    .map((row) => row.trimEnd())
    .join("\n")
    .trimEnd();
}

/** A smaller window: programs in the shell are told of it. */
async function resized(page: Page): Promise<void> {
  const wide = page.viewportSize() ?? { width: 1280, height: 720 };
  await page.setViewportSize({ ...wide, width: 1100 });
  await type(page, "echo cols=$COLUMNS");
  const cols = page.locator("#screen .xterm-rows > div", { hasText: /^cols=\d+\s*$/ });
  const narrow = await cols.last().textContent();
  await page.setViewportSize(wide);
  await expect
    .poll(
      async () => {
        await type(page, "echo cols=$COLUMNS");
        return await cols.last().textContent();
      },
      { timeout: 20_000 },
    )
    .not.toBe(narrow);
}
