import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { madeOnce } from "./made-once.ts";

test("a file is made once of what it is made of, and again when that has changed, or it itself", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-made-"));
  const [source, other, made] = ["source", "other", basename(folder)].map((name) => join(folder, name));
  if (source === undefined || other === undefined || made === undefined) throw new RangeError("three paths");
  let times = 0;
  const get = async (): Promise<string> => {
    await madeOnce(made, async () => {
      times += 1;
      return { text: readFileSync(source, "utf8") + readFileSync(other, "utf8"), inputs: [source, other] };
    });
    return `${times} ${readFileSync(made, "utf8")}`;
  };
  try {
    writeFileSync(source, "a");
    writeFileSync(other, "b");
    expect(await get()).toBe("1 ab");
    expect(await get()).toBe("1 ab");
    writeFileSync(other, "c");
    expect(await get()).toBe("2 ac");
    writeFileSync(made, "somebody else's");
    expect(await get()).toBe("3 ac");
    rmSync(made);
    expect(await get()).toBe("4 ac");
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(join(import.meta.dirname, "../node_modules/.cache/troupe-made", `${basename(folder)}.note`), {
      force: true,
    });
  }
});
