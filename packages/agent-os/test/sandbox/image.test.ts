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

test("its bytes are those of the files that there are", () => {
  const image = new Image();
  const bytesBehind = (changes: Parameters<Image["apply"]>[0]) => {
    image.apply(changes);
    return image.bytes;
  };
  expect(
    bytesBehind([
      ["/a", directory],
      ["/a/b", file("four")],
      ["/c", file("six...")],
    ]),
  ).toBe(10);
  expect(bytesBehind([["/a/b", file("one more")]])).toBe(14);
  expect(bytesBehind([["/a", removed(false)]])).toBe(6);
  expect(bytesBehind([["/c", removed(true)]])).toBe(0);
});
