import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fixture } from "../fixture.ts";
import { madeWhole } from "./cache.ts";

const fill = (text: string) => async (half: string) => {
  writeFileSync(join(half, "what"), text);
  return undefined;
};

test("a folder of the cache is there whole, with what was made last", async () => {
  using at = fixture({});
  const folder = join(at.root, "cache/lute-1.0");
  const seen: boolean[] = [];
  await madeWhole(folder, (half) => {
    seen.push(existsSync(folder));
    return fill("lute")(half);
  });
  expect(seen).toEqual([false]);
  await madeWhole(folder, fill("better lute"));
  expect(readFileSync(join(folder, "what"), "utf8")).toBe("better lute");
  expect(readdirSync(join(at.root, "cache"))).toEqual(["lute-1.0"]);
});

test("what could not be made leaves nothing but the reason", async () => {
  using at = fixture({});
  const folder = join(at.root, "lute");
  expect(await madeWhole(folder, async () => "no wood")).toBe("no wood");
  await expect(madeWhole(folder, () => Promise.reject(new Error("no glue")))).rejects.toThrow("no glue");
  expect(readdirSync(at.root)).toEqual([]);
});

test("of two runs that make the same at once, the first one's stays", async () => {
  using at = fixture({});
  const folder = join(at.root, "lute");
  const made = await madeWhole(folder, async (half) => {
    mkdirSync(folder);
    writeFileSync(join(folder, "what"), "the other run's");
    return await fill("this run's")(half);
  });
  expect(made).toBeUndefined();
  expect(readFileSync(join(folder, "what"), "utf8")).toBe("the other run's");
  expect(readdirSync(at.root)).toEqual(["lute"]);
});

test("what an ended run left half made goes; another run's that goes on stays", async () => {
  const ended = spawnSync(process.execPath, ["--version"]).pid;
  using at = fixture({ [`lute.${ended}/what`]: "", [`lute.${process.ppid}/what`]: "", "lute.case/what": "" });
  await madeWhole(join(at.root, "lute"), fill("lute"));
  expect(readdirSync(at.root).toSorted()).toEqual(["lute", `lute.${process.ppid}`, "lute.case"].toSorted());
});
