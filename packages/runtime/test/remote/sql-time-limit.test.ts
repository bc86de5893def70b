/** `remoteActor({ sqlTimeLimitMs })`: hosts that aren't trusted, and whose SQL holds nobody up. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TroupeError } from "@troupe/base";
import { createClient } from "@troupe/client";
import { actor, db, remoteActor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";

const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

const desk = actor({
  db: db({
    onMigrate: async (database) => {
      await database.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)");
    },
  }),
  actions: {
    write: async (c, text: string) => void (await c.db.execute("INSERT INTO notes VALUES (?)", text)),
    read: (c) => c.db.execute<{ text: string }>("SELECT text FROM notes"),
    endless: (c) =>
      c.db.execute(endless).then(
        () => "it ended",
        (error: unknown) => (TroupeError.is(error) ? [error.code, error.metadata] : String(error)),
      ),
  },
});

const remote = remoteActor<typeof desk>({ database: true, sqlTimeLimitMs: 1_000 });
const engines = {
  "an actor that it knows": () => setup({ use: { desk: remote }, hosts: { token: "secret" } }),
  "what hosts bring": () =>
    setup({ use: {}, hosts: { token: "secret", actors: "any", sqlTimeLimitMs: 1_000 } }),
};

test.each(Object.entries(engines))(
  "%s: an endless statement of a remote host's is ended by the engine, which answers others meanwhile, and its actor goes on",
  async (_, engine) => {
    const registry = engine();
    const dataDir = await mkdtemp(join(tmpdir(), "troupe-time-limit-"));
    const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
    const host = await setup({ use: { desk } }).startHost({ endpoint, token: "secret", signals: false });
    try {
      await using client = createClient<{ readonly "~types"?: { readonly use: { desk: typeof desk } } }>(
        endpoint,
      );
      const [one, other] = [client.desk.getOrCreate(["one"]), client.desk.getOrCreate(["other"])];
      await one.write("kept");
      // On the engine's own thread it would never end, and nobody would be answered.
      const [stuck] = await Promise.all([one.endless(), other.write("meanwhile")]);
      expect(await other.read()).toEqual([{ text: "meanwhile" }]);
      expect(stuck).toEqual(["timed_out", { timeoutMs: 1_000, applied: "no" }]);
      expect(await one.read()).toEqual([{ text: "kept" }]);
    } finally {
      host.close();
      await registry.stop();
      await rm(dataDir, { recursive: true });
    }
  },
);

test("a limit that is none, or that has nothing to limit, is refused", () => {
  for (const sqlTimeLimitMs of [0, 0.5, 60_001])
    expect(() => remoteActor({ database: true, sqlTimeLimitMs })).toThrow(/sqlTimeLimitMs/);
  expect(() => remoteActor({ sqlTimeLimitMs: 5 })).toThrow(/database/);
  const engine = (hosts: object) => setup({ use: {}, hosts: { token: "secret", ...hosts } });
  expect(() => engine({ actors: "any", sqlTimeLimitMs: Number.NaN })).toThrow(/hosts\.sqlTimeLimitMs/);
  expect(() => engine({ sqlTimeLimitMs: 5 })).toThrow(/actors: "any"/);
});
