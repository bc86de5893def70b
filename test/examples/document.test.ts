/** Whatever two authors write at once, and whatever breaks meanwhile, they see the same text in the end. */
import { createClient } from "troupe/client";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/document/actor.ts";
import { Editor } from "../../examples/document/editor.ts";
import { type Edit, Text } from "../../examples/document/text.ts";
import { Random, seedOfThisRun } from "../power-loss/random.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

test("edits of the same place commute with what they mean", () => {
  const base = new Text().edit("base", { at: 0, remove: 0, insert: "abcd" });
  const text = new Text([base]);
  const cut = text.edit("cut", { at: 1, remove: 2, insert: "" });
  const inside = text.edit("inside", { at: 2, remove: 0, insert: "x" });
  const beside = text.edit("beside", { at: 2, remove: 1, insert: "y" });
  const show = (...edits: Edit[]) => String(text.with(edits));
  expect([show(cut, inside), show(inside, cut)]).toEqual(["axd", "axd"]);
  expect([show(inside, beside), show(beside, inside)]).toEqual(["abyxd", "abxyd"]);
  expect(text.knows(inside)).toBe(true);
  expect(text.knows({ ...inside, after: "nobody/0" })).toBe(false);
});

test("two authors scribble at once, the server dies twice, and all texts are one", async () => {
  await using example = await Example.start("document");
  await using client = createClient<typeof registry>(example.url);
  const seed = seedOfThisRun();
  const random = new Random(seed);
  await using ann = await Editor.open(client, "notes");
  await using bo = await Editor.open(client, "notes");
  const scribble = (author: Editor, sign: string) => {
    for (let n = 0; n < 10; n++) {
      const at = random.between(0, author.text.length);
      author.edit(
        at,
        Math.min(random.between(0, 3), author.text.length - at),
        sign.repeat(random.between(0, 2)),
      );
    }
  };
  for (let round = 0; round < 3; round++) {
    scribble(ann, "a");
    scribble(bo, "b");
    if (round > 0) {
      await example.kill();
      scribble(ann, "A");
      await example.restart();
    }
  }
  await Promise.all([ann.saved(), bo.saved()]);
  await Promise.all([ann.reached(80), bo.reached(80)]);
  const text = await client.document.getOrCreate(["notes"]).text();
  expect({ seed, ann: ann.text, bo: bo.text }).toEqual({ seed, ann: text, bo: text });
});
