/** A sandbox's files in a database, where there are many of them. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import type { ImageChanges } from "../../src/sandbox/file-store.ts";
import { FileTable, migrateFiles } from "../../src/sandbox/file-table.ts";
import { withDatabase } from "../support/database.ts";
import { turnsDuring } from "../support/turns.ts";

const PAGES = 6;

/** Directories with a file each. */
const many: ImageChanges = Array.from({ length: (PAGES * limits.sandboxTurnPaths) / 2 }, (_, n) => [
  [`/d${n}`, { type: "directory", mode: 0o755, modifiedAt: 1 }] as const,
  [`/d${n}/f`, { type: "file", content: Buffer.from(`${n}`), mode: 0o644, modifiedAt: 1 }] as const,
]).flat();

test("many files are saved, and removed, over many turns of the process, and all of it or nothing", async (t) => {
  await withDatabase(t, async (database) => {
    await migrateFiles(database);
    const table = new FileTable(database);
    expect(await turnsDuring(() => table.save(many))).toBeGreaterThanOrEqual(PAGES);
    expect(await table.load()).toHaveLength(many.length);
    const removed = many.flatMap(([path, { type }]) =>
      type === "directory" ? [[path, { type: "removed", given: false }] as const] : [],
    );
    const wrong = [["/last", { type: "symlink", target: "x".repeat(2 * limits.sqlBoundBytes) }]] as const;
    await expect(table.save([...removed, ...wrong])).rejects.toThrow();
    expect(await table.load()).toHaveLength(many.length);
    expect(await turnsDuring(() => table.save(removed))).toBeGreaterThanOrEqual(PAGES / 2);
    expect(await table.load()).toEqual([]);
    const left = await database.execute<{ left: number }>("SELECT COUNT(*) AS left FROM sandbox_contents");
    expect(left).toEqual([{ left: 0 }]);
  });
}, 60_000);
