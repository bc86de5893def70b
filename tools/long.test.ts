/** `npm run long`: what it would run is there, and people can read of it. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { command } from "./command.ts";
import { describePart, longParts, partsNamed } from "./long-parts.ts";

const cwd = new URL("..", import.meta.url).pathname;

test("each part has a program that is there, a time after which it is ended, and a line in CONTRIBUTING", () => {
  const contributing = readFileSync(`${cwd}/CONTRIBUTING.md`, "utf8");
  for (const { name, args, minutes } of longParts) {
    const program = args.find((word) => word.endsWith(".ts"));
    expect(existsSync(`${cwd}/${program}`), name).toBe(true);
    expect(minutes).toBeLessThanOrEqual(90);
    expect(contributing).toContain(`| \`${name}\` |`);
  }
});

test("parts are run by name, and a name that none has runs nothing", async () => {
  expect(partsNamed(["soak", "seeds"]).map(({ name }) => name)).toEqual(["seeds", "soak"]);
  expect(partsNamed([])).toEqual(longParts);
  expect(() => partsNamed(["nope"])).toThrow("There is no part nope: seeds, kills, cuts, soak, leaks, fuzz");
  const listed = await command(process.execPath, ["tools/long.ts", "--list", "soak"], { cwd });
  const lines = longParts.filter(({ name }) => name === "soak").map(describePart);
  expect([listed.status, listed.output]).toEqual([0, `${lines.join("\n")}\n`]);
});
