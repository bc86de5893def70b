/** The coding agent on real input: two tabs, its questions answered in either, files, the terminal, and kill -9 between. */
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
  await other.getByLabel("Command").fill("cd primes && wc -l < primes.txt > count.txt && cat count.txt");
  await other.getByLabel("Command").press("Enter");
  await other.locator(".screen .output", { hasText: /^\s*10$/ }).waitFor();
  await other.getByText("~/primes $", { exact: true }).waitFor();
  await other.getByRole("button", { name: "count.txt" }).waitFor();

  await example.kill();
  await one.getByText("Connecting…").waitFor();
  await example.restart();
  await one.getByText("Connected").waitFor();
  const late = await chromium.open(example.url);
  await late.getByText("Done: 10 primes up to 30").waitFor();
  await late.getByRole("button", { name: "count.txt" }).waitFor();
  const said = (page: typeof one) => page.locator(".items > *:not(.note)").allTextContents();
  expect(await said(late)).toEqual(await said(one));

  await late.getByLabel("Message").fill("Once more");
  await late.getByLabel("Message").press("Enter");
  await late.getByRole("button", { name: "Don’t" }).click();
  await late.getByText("The user doesn’t want that").waitFor();

  const killed = /ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE)/;
  expect(chromium.complaints.filter((text) => !killed.test(text))).toEqual([]);
}, 90_000);
