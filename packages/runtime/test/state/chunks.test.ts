/** Large properties: stored in chunks, of which those that changed are written. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { TreeStory } from "./tree.ts";

const MIB = 1024 * 1024;
/** What a commit wrote, by kind of row. */
const kinds = (keys: readonly string[]): string[] =>
  keys.map((key) => key.replace(/\0.*$/, "").replace(/~s:/, "~"));

test("a large property comes back, and only what changed of it is written", () => {
  const story = new TreeStory<{ text: string; small: number }>({ text: "", small: 1 });
  story.state.text = "a".repeat(5 * MIB);
  expect(kinds(story.commit())).toEqual(["c:text", "text", ...Array.from({ length: 6 }, () => "~text")]);
  expect(story.rows.has("s:text")).toBe(false);
  expect(story.reloaded()).toEqual({ text: "a".repeat(5 * MIB), small: 1 });
  story.state.text = `${"a".repeat(3 * MIB)}b${"a".repeat(2 * MIB - 1)}`;
  expect(kinds(story.commit())).toEqual(["c:text", "~text"]);
  expect(story.reloaded()).toEqual({ text: story.state.text, small: 1 });
});

test("the next life knows what is stored: it writes only what changed, too", () => {
  const story = new TreeStory<{ bytes: Uint8Array }>({ bytes: new Uint8Array(3 * MIB) });
  const next = new TreeStory<{ bytes: Uint8Array }>(undefined, story.rows);
  const bytes = new Uint8Array(3 * MIB);
  bytes[2 * MIB] = 1;
  next.state.bytes = bytes;
  expect(kinds(next.commit())).toEqual(["c:bytes", "~bytes"]);
  expect(next.reloaded()).toEqual({ bytes });
});

test("one that shrinks, or goes, leaves no chunk behind; one that grows again is in chunks again", () => {
  const story = new TreeStory<{ text?: string }>({ text: "a".repeat(3 * MIB) });
  story.state.text = "b".repeat(2 * MIB);
  story.commit();
  expect([...story.rows.keys()].filter((key) => key.startsWith("~s:"))).toHaveLength(3);
  story.state.text = "small";
  story.commit();
  expect([...story.rows.keys()]).toEqual(["s:text"]);
  story.state.text = "a".repeat(3 * MIB);
  story.commit();
  delete story.state.text;
  story.commit();
  expect([...story.rows.keys()]).toEqual([]);
  expect(story.reloaded()).toEqual({});
});

test("a built-in that nobody watches is in chunks as well", () => {
  const story = new TreeStory<{ map: Map<string, string> }>({ map: new Map([["a", "x".repeat(2 * MIB)]]) });
  story.state.map.set("b", "new");
  expect(kinds(story.commit())).toContain("~map");
  expect(story.commit()).toEqual([]);
  expect(story.reloaded()).toEqual({
    map: new Map([
      ["a", "x".repeat(2 * MIB)],
      ["b", "new"],
    ]),
  });
});

test("names that look like chunks of others are their own", () => {
  const large = "a".repeat(2 * MIB);
  const story = new TreeStory<Record<string, string>>({ a: large, "a\x000000": large, "a\0": `${large}b` });
  expect(story.reloaded()).toEqual({ a: large, "a\x000000": large, "a\0": `${large}b` });
});

test("past 2 MB: stored, waited for, and there after a crash", async () => {
  const shelf = actor({
    state: { blob: new Uint8Array(0), n: 0 },
    actions: {
      fill: (c, bytes: number) => {
        c.state.blob = new Uint8Array(bytes).fill(7);
      },
      touch: (c) => {
        c.state.n += 1;
      },
      sum: (c) => [c.state.blob.byteLength, c.state.blob[0], c.state.blob.at(-1), c.state.n],
    },
  });
  await using driver = await Driver.start({ shelf });
  await driver.act("shelf", "fill", 12 * MIB);
  driver.takeBatches();
  await driver.act("shelf", "touch");
  expect(
    driver
      .takeBatches()
      .flat()
      .map(({ key }) => key),
  ).toEqual(["s:n"]);
  await driver.crash();
  expect((await driver.act("shelf", "sum")).output).toEqual([12 * MIB, 7, 7, 1]);
  expect((await driver.act("shelf", "fill", limits.statePropertyBytes)).code).toBe(
    "storage.property_too_large",
  );
});
