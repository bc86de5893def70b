/** The states that a cut may leave of one file. */
import { expect, test } from "vitest";
import { DiskFile } from "./disk-file.ts";
import { Random } from "./random.ts";

const bytes = (letter: string, length: number) => Buffer.alloc(length, letter);

test("a sync covers the changes before its begin, and no later ones", () => {
  const file = new DiskFile(Buffer.from("...."));
  file.change({ sequence: 1, at: 0, data: Buffer.from("a") });
  file.change({ sequence: 2, at: 1, data: Buffer.from("b") });
  file.synced(1, true);
  expect(file.cut().toString()).toBe("a...");
  expect(file.cached().toString()).toBe("ab..");
  file.synced(2, true);
  expect(file.cut().toString()).toBe("ab..");
  expect(file.unsynced).toBe(0);
});

test("each sector of a torn file is at one moment of its own history", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const file = new DiskFile(bytes(".", 2048));
    file.change({ sequence: 1, at: 0, data: bytes("a", 1024) });
    file.change({ sequence: 2, at: 512, data: bytes("b", 1024) });
    const torn = file.torn(new Random(seed)).toString("latin1");
    expect(torn).toMatch(/^(\.{512}|a{512})(\.{512}|a{512}|b{512})(\.{512}|b{512})\.{512}$/);
    seen.add([0, 512, 1024].map((at) => torn[at]).join(""));
  }
  // 2 * 3 * 2 states, less none: a disk may write its sectors in any order.
  expect(seen.size).toBe(12);
});

test("a truncation stands between what came before it and what came after", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const file = new DiskFile(bytes(".", 1024));
    file.change({ sequence: 1, at: 0, data: bytes("a", 512) });
    file.change({ sequence: 2, at: 0 });
    file.change({ sequence: 3, at: 0, data: bytes("b", 512) });
    const torn = file.torn(new Random(seed));
    seen.add(`${torn.toString("latin1", 0, 1)}${torn.length}`);
  }
  expect([...seen].sort()).toEqual(["0", ".1024", "a1024", "b512"].sort());
});
