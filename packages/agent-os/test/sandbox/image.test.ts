/** What is remembered of a sandbox's files. */
import { expect, test } from "vitest";
import { Image } from "../../src/sandbox/embedded/image.ts";
import type { ImageEntry } from "../../src/sandbox/file-store.ts";

const file = (text: string): ImageEntry => ({
  type: "file",
  content: new TextEncoder().encode(text),
  mode: 0o644,
  modifiedAt: 1,
});
const directory: ImageEntry = { type: "directory", mode: 0o755, modifiedAt: 1 };
const removed = (given: boolean): ImageEntry => ({ type: "removed", given });

test("what a directory contained goes with it; only what an empty sandbox has leaves a mark", () => {
  const image = new Image();
  image.apply([
    ["/a", directory],
    ["/a/b", directory],
    ["/a/b/c", file("c")],
    ["/ab", file("ab")],
    ["/bin/ls", removed(true)],
  ]);
  image.apply([["/a", file("now a file")]]);
  expect(image.changes()).toEqual([
    ["/a", file("now a file")],
    ["/ab", file("ab")],
    ["/bin/ls", removed(true)],
  ]);
  image.apply([
    ["/a", removed(false)],
    ["/bin", removed(true)],
    ["/temporary", removed(false)],
  ]);
  expect(image.changes()).toEqual([
    ["/ab", file("ab")],
    ["/bin", removed(true)],
  ]);
});

test("the version tells whether a copy is current", () => {
  const image = new Image();
  image.apply([]);
  expect(image.version).toBe(0);
  image.apply([["/a", directory]]);
  expect(image.version).toBe(1);
});
