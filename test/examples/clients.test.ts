/** Each example's client, as its README shows it: the server and the client run as two processes, and print what stands there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { Example, needBuild } from "./example.ts";

const examples = new URL("../../examples/", import.meta.url);

function readmeOf(name: string): string {
  return readFileSync(new URL(`${name}/README.md`, examples), "utf8");
}

/** What the README says that the client prints. */
function shown(name: string): string | undefined {
  return /^```text\n(.*?)^```$/ms.exec(readmeOf(name))?.[1];
}

const names = readdirSync(examples).filter((name) => existsSync(new URL(`${name}/server.ts`, examples)));
const withOutput = names.filter((name) => shown(name) !== undefined);

beforeAll(needBuild, 180_000);

test("there are ten programs at least, and the index has all of them", () => {
  expect(withOutput.length).toBeGreaterThanOrEqual(10);
  const index = readFileSync(new URL("README.md", examples), "utf8");
  expect([...index.matchAll(/^\| \[([\w-]+)\]\(\1\)/gm)].map(([, name]) => name).sort()).toEqual(
    names.sort(),
  );
});

test.each(withOutput)("%s: the client prints what its README shows", async (name) => {
  await using example = await Example.start(name);
  expect(await example.runClient(name)).toBe(shown(name));
});
