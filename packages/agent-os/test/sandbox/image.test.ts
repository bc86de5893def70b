/** What is remembered of a sandbox's files. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { Image } from "../../src/sandbox/embedded/image.ts";
import type { ImageChanges, ImageEntry } from "../../src/sandbox/file-store.ts";
import { turnsDuring } from "../support/turns.ts";

const file = (text: string): ImageEntry => ({
  type: "file",
  content: new TextEncoder().encode(text),
  mode: 0o644,
  modifiedAt: 1,
});
const directory: ImageEntry = { type: "directory", mode: 0o755, modifiedAt: 1 };
const sorted = (image: Image) => image.changes().toSorted(([a], [b]) => (a < b ? -1 : 1));
const removed = (given: boolean): ImageEntry => ({ type: "removed", given });

test("what a directory contained goes with it; what an empty sandbox has leaves a mark, which stays", async () => {
  const before = await Image.empty.with([
    ["/a", directory],
    ["/a/b", directory],
    ["/a/b/c", file("c")],
    ["/a/given", removed(true)],
    ["/ab", file("ab")],
    ["/bin/ls", removed(true)],
  ]);
  const image = await before.with([["/a", file("now a file")]]);
  expect(sorted(image)).toEqual([
    ["/a", file("now a file")],
    ["/a/given", removed(true)],
    ["/ab", file("ab")],
    ["/bin/ls", removed(true)],
  ]);
  const last = await image.with([
    ["/a", removed(false)],
    ["/bin", removed(true)],
    ["/temporary", removed(false)],
  ]);
  expect(sorted(last)).toEqual([
    ["/a/given", removed(true)],
    ["/ab", file("ab")],
    ["/bin", removed(true)],
    ["/bin/ls", removed(true)],
  ]);
  // Whoever has an image keeps it as it was.
  expect([before.paths, image.paths, last.paths]).toEqual([6, 4, 4]);
  expect(sorted(before)).toHaveLength(6);
});

test("parents come before what they contain", async () => {
  const image = await Image.empty.with([
    ["/b/c/d", file("d")],
    ["/b", directory],
    ["/a", file("a")],
    ["/b/c", directory],
  ]);
  const paths = image.changes().map(([path]) => path);
  expect(paths.indexOf("/b")).toBeLessThan(paths.indexOf("/b/c"));
  expect(paths.indexOf("/b/c")).toBeLessThan(paths.indexOf("/b/c/d"));
});

test("many changes take many turns of the process, and the image before them stays as it is", async () => {
  const pages = 6;
  const many: ImageChanges = Array.from({ length: pages * limits.sandboxTurnPaths }, (_, n) => [
    `/d/${n}`,
    file("x"),
  ]);
  let image = Image.empty;
  const turns = await turnsDuring(async () => {
    image = await image.with(many);
  });
  expect(turns).toBeGreaterThanOrEqual(pages - 1);
  expect([Image.empty.paths, image.paths]).toEqual([0, many.length]);
});

test("the version tells whether a copy is current", async () => {
  expect((await Image.empty.with([])).version).toBe(0);
  expect((await Image.empty.with([["/a", directory]])).version).toBe(1);
});

test("its bytes are those of what files hold, of what links lead to, and of their paths", async () => {
  let image = Image.empty;
  const bytesBehind = async (changes: ImageChanges) => {
    image = await image.with(changes);
    return image.bytes;
  };
  const tree: ImageChanges = [
    ["/a", directory],
    ["/a/b", file("four")],
    ["/a/é", { type: "symlink", target: "/é" }],
    ["/c", file("six...")],
  ];
  expect(await bytesBehind(tree)).toBe(2 + 8 + 8 + 8);
  expect(await bytesBehind([["/a/b", file("one more")]])).toBe(30);
  expect(await bytesBehind([["/a", removed(false)]])).toBe(8);
  expect(await bytesBehind([["/c", removed(true)]])).toBe(2);
  expect(await bytesBehind([["/c", removed(false)]])).toBe(0);
});
