/** What an actor's SQL can't do, and that all the rest works. */
import { TroupeError } from "@troupe/base";
import { actor, db, setup, setupTest } from "@troupe/runtime";
import { expect, test } from "vitest";

const box = actor({
  state: { secret: 1 },
  db: db({ onMigrate: (tx) => tx.execute("CREATE TABLE IF NOT EXISTS t (a, b)").then(() => {}) }),
  actions: {
    /** The code of what was refused; for clients such errors are internal ones. */
    run: async (c, sql: string) => {
      try {
        await c.db.execute(sql);
        return "ran";
      } catch (error) {
        return TroupeError.is(error) ? `${error.group}.${error.code}` : "another error";
      }
    },
    state: (c) => c.state,
  },
});

const refused: readonly string[] = [
  "ATTACH ':memory:' AS other",
  "ATTACH 'x.db' AS other",
  "DETACH main",
  "VACUUM",
  "VACUUM main",
  "VACUUM INTO 'copy.db'",
  "SELECT load_extension('x')",
  "SELECT a FROM t WHERE load_extension('x') IS NULL",
  "SELECT * FROM _troupe_rows",
  "SELECT * FROM main._troupe_rows",
  'SELECT * FROM "_troupe_rows"',
  "SELECT * FROM _TROUPE_ROWS",
  "SELECT count(*) FROM _troupe_rows",
  "SELECT value FROM t, _troupe_rows",
  "SELECT (SELECT value FROM _troupe_meta LIMIT 1)",
  "WITH x AS (SELECT * FROM _troupe_rows) SELECT * FROM x",
  "INSERT INTO t SELECT key, value FROM _troupe_rows",
  "INSERT INTO _troupe_rows VALUES ('s:secret', x'02', 0)",
  "REPLACE INTO _troupe_meta VALUES ('layout', 9)",
  "UPDATE _troupe_rows SET value = x'00'",
  "DELETE FROM _troupe_rows",
  "DROP TABLE _troupe_rows",
  "ALTER TABLE _troupe_rows RENAME TO mine",
  "ALTER TABLE _troupe_rows ADD COLUMN mine",
  "ALTER TABLE _troupe_rows RENAME COLUMN value TO mine",
  "CREATE INDEX mine ON _troupe_rows (value)",
  "CREATE TRIGGER mine AFTER UPDATE ON _troupe_rows BEGIN SELECT 1; END",
  "CREATE TABLE _troupe_mine (a)",
  "CREATE VIEW _troupe_view AS SELECT 1",
  "CREATE VIEW v AS SELECT * FROM _troupe_rows; SELECT * FROM v",
  "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM _troupe_rows; END; INSERT INTO t VALUES (1, 2)",
  "PRAGMA table_info(_troupe_rows)",
  "SELECT * FROM pragma_table_info('_troupe_rows')",
  "EXPLAIN SELECT * FROM _troupe_rows",
  "CREATE TEMP TABLE x (a)",
  "CREATE TEMP VIEW x AS SELECT 1",
  "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
  "CREATE VIRTUAL TABLE x USING csv(filename = '/etc/passwd')",
  "CREATE VIRTUAL TABLE x USING dbstat",
  "CREATE VIRTUAL TABLE x USING fts5vocab(_troupe_rows, 'row')",
  "PRAGMA journal_mode = DELETE",
  "PRAGMA journal_mode",
  "PRAGMA synchronous = OFF",
  "PRAGMA locking_mode = EXCLUSIVE",
  "PRAGMA wal_checkpoint(TRUNCATE)",
  "PRAGMA wal_autocheckpoint = 1",
  "PRAGMA writable_schema = ON",
  "PRAGMA trusted_schema = ON",
  "PRAGMA foreign_keys = OFF",
  "PRAGMA schema_version = 1",
  "PRAGMA page_size = 512",
  "PRAGMA cache_size = 1",
  "PRAGMA temp_store_directory = '/tmp'",
  "PRAGMA database_list",
  "PRAGMA query_only = ON",
  "PRAGMA mmap_size = 0",
  "PRAGMA hard_heap_limit = 1",
  "PRAGMA incremental_vacuum",
];

test.each(refused)("refused: %s", async (sql) => {
  await using scope = new Scope();
  const { client } = await setupTest(scope, setup({ use: { box } }));
  const handle = client.box.getOrCreate(["a"]);
  // Answered when the batch of the creation is stored: no transaction is open.
  expect(await handle.run("SELECT 1")).toBe("ran");
  expect(await handle.run(sql)).toBe("sql.not_allowed");
  // Nothing is open or broken behind it.
  expect(await handle.run("INSERT INTO t VALUES (7, 8)")).toMatch(/^ran$|^sql/);
  expect(await handle.state()).toEqual({ secret: 1 });
});

const allowed: readonly string[] = [
  "CREATE TABLE u (id INTEGER PRIMARY KEY, t REFERENCES u(id))",
  "CREATE INDEX by_a ON t (a)",
  "CREATE VIEW v AS SELECT a FROM t; SELECT * FROM v; DROP VIEW v",
  "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET b = 1; END; INSERT INTO t VALUES (1, 2); DROP TRIGGER g",
  "ALTER TABLE t ADD COLUMN c; ALTER TABLE t RENAME COLUMN c TO d; ALTER TABLE t DROP COLUMN d",
  "INSERT INTO t VALUES (1, 2) ON CONFLICT DO NOTHING RETURNING a",
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n",
  "SELECT json_extract('{\"a\":1}', '$.a')",
  "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('word'); SELECT * FROM f('word')",
  "PRAGMA user_version = 3; PRAGMA user_version",
  "PRAGMA table_info(t); SELECT * FROM pragma_table_info('t')",
  "SELECT name FROM sqlite_master",
  "EXPLAIN QUERY PLAN SELECT * FROM t",
  "ANALYZE; REINDEX",
  " -- only a comment",
  "SELECT 1; -- and a comment",
];

test.each(allowed)("allowed: %s", async (sql) => {
  await using scope = new Scope();
  const { client } = await setupTest(scope, setup({ use: { box } }));
  expect(await client.box.getOrCreate(["a"]).run(sql)).toBe("ran");
});

/** Ends what `setupTest` started at the end of a block. */
class Scope implements AsyncDisposable {
  readonly #ends: (() => Promise<void>)[] = [];

  onTestFinished(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await end();
  }
}
