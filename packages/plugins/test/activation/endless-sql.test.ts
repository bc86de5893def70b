/** SQL of a named plugin's actor that doesn't end: it is ended at its limit, and its actor lives on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { pluginActor } from "../../src/plugin-actor.ts";
import { counterManifest } from "../support/counters.ts";
import { PluginFolder } from "../support/plugin-folder.ts";

const LIMIT_MS = 1_000;

const main = `
  import { actor, db } from ${JSON.stringify(import.meta.resolve("@troupe/runtime"))};
  import { serveWorker } from ${JSON.stringify(new URL("../../src/worker.ts", import.meta.url).href)};
  const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
  const notes = actor({
    state: { n: 0 },
    db: db({ onMigrate: async (db) => { await db.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)"); } }),
    actions: {
      add: async (c, text) => {
        await c.db.execute("INSERT INTO notes VALUES (?)", text);
        return (c.state.n += 1);
      },
      all: async (c) => [c.state.n, (await c.db.execute("SELECT text FROM notes")).map(({ text }) => text)],
      look: (c) => c.db.execute(endless),
    },
  });
  await serveWorker({ name: "counter", actors: { notes } });`;

test("a query of a worker's actor that doesn't end is killed at `sqlTimeLimitMs`; its actor answers afterwards, with all that it had stored", {
  timeout: 120_000,
}, async () => {
  using folder = new PluginFolder();
  const dataDir = mkdtempSync(join(tmpdir(), "troupe-endless-"));
  folder.write("main.ts", main);
  const manifest = counterManifest(folder, 'runtime = "node"\nentrypoint = "main.ts"');
  const notes = pluginActor({
    plugin: { manifest, trusted: true },
    actor: "notes",
    needs: ["database"],
    sqlTimeLimitMs: LIMIT_MS,
  });
  const registry = setup({ use: { notes } });
  try {
    await registry.start({ port: 0, signals: false, banner: false, dataDir });
    const client = await registry.client();
    const handle = client.notes.getOrCreate(["a"]);
    const act = (name: string, ...args: unknown[]): Promise<unknown> => handle.action({ name, args });
    expect(await act("add", "before")).toBe(1);
    await expect(act("look")).rejects.toMatchObject({
      group: "sql",
      code: "timed_out",
      metadata: { timeoutMs: LIMIT_MS, applied: "no" },
    });
    expect(await act("add", "after")).toBe(2);
    expect(await act("all")).toEqual([2, ["before", "after"]]);
  } finally {
    await registry.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
