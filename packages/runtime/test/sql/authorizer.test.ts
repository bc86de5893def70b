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
  "SELECT * FROM [_troupe_rows]",
  "SELECT * FROM `_troupe_rows`",
  'SELECT * FROM main."_Troupe_Meta"',
  "SELECT r.value FROM _troupe_rows AS r",
  "SELECT * FROM t JOIN _troupe_rows ON a = key",
  "SELECT * FROM t WHERE a IN _troupe_rows",
  "SELECT * FROM t WHERE EXISTS (SELECT 1 FROM _troupe_rows)",
  "SELECT a FROM t UNION ALL SELECT key FROM _troupe_rows",
  "/* nothing */ SELECT * FROM -- _troupe_\n _troupe_rows",
  "SELECT 1; SELECT * FROM _troupe_rows",
  "CREATE TABLE copy AS SELECT * FROM _troupe_rows",
  "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO _troupe_meta VALUES ('alarm', 1); END; INSERT INTO t VALUES (1, 2)",
  "ALTER TABLE t RENAME TO _troupe_t",
  'ALTER TABLE t RENAME TO "_TROUPE_T"',
  "ALTER TABLE t RENAME TO [_troupe_x]",
  "CREATE TABLE IF NOT EXISTS _troupe_rows (key)",
  "CREATE INDEX _troupe_index ON t (a)",
  "CREATE TABLE u (a REFERENCES _troupe_rows(key) ON DELETE CASCADE); DELETE FROM _troupe_rows",
  "INSERT INTO t VALUES (1, 2) RETURNING (SELECT value FROM _troupe_rows LIMIT 1)",
  "WITH _troupe_rows(x) AS (SELECT 1) DELETE FROM main._troupe_rows",
  "UPDATE OR REPLACE _troupe_rows SET crc = 0 FROM t",
  "CREATE TEMP TABLE _troupe_rows (a)",
  "CREATE TEMPORARY TRIGGER x AFTER UPDATE ON _troupe_rows BEGIN SELECT 1; END",
  "CREATE TABLE temp.x (a)",
  "CREATE VIEW temp.t AS SELECT 1",
  "CREATE VIRTUAL TABLE x USING sqlite_dbpage",
  "CREATE VIRTUAL TABLE x USING sqlite_dbdata",
  "CREATE VIRTUAL TABLE x USING fts4(a)",
  "CREATE VIRTUAL TABLE x USING fts3tokenize",
  "CREATE VIRTUAL TABLE x USING zipfile('x.zip')",
  "CREATE VIRTUAL TABLE x USING fsdir",
  "CREATE VIRTUAL TABLE _troupe_fts USING fts5(a)",
  "SELECT fts3_tokenizer('simple')",
  "SELECT fts3_tokenizer('simple', x'4141414141414141')",
  "PRAGMA main.journal_mode = OFF",
  "PRAGMA main.writable_schema = 1",
  'PRAGMA "writable_schema" = 1',
  "PRAGMA Writable_Schema(1)",
  "PRAGMA main.user_version = 1; PRAGMA main.synchronous = 0",
  "SELECT * FROM pragma_database_list",
  "SELECT * FROM pragma_journal_mode",
  "SELECT * FROM pragma_table_xinfo('_Troupe_Rows')",
  'PRAGMA table_info("_troupe_rows")',
  "PRAGMA index_list('_troupe_rows')",
  "PRAGMA foreign_key_check(_troupe_rows)",
  "PRAGMA integrity_check(_troupe_rows)",
  "PRAGMA cell_size_check = 0",
  "PRAGMA recursive_triggers = 1",
  "PRAGMA analysis_limit = 1",
  "PRAGMA busy_timeout = 100000",
  "PRAGMA max_page_count = 1",
  "PRAGMA auto_vacuum = 1",
  "PRAGMA secure_delete = 0",
  "PRAGMA soft_heap_limit = 1",
  "PRAGMA threads = 8",
  "PRAGMA trusted_schema",
  "PRAGMA optimize",
  "PRAGMA shrink_memory",
  "PRAGMA encoding = 'UTF-16'",
  "PRAGMA data_store_directory = '/tmp'",
  "ATTACH DATABASE 'file:x.db?mode=rwc' AS x",
  "ATTACH '' AS x",
  "EXPLAIN ATTACH 'x' AS y",
  "VACUUM INTO '/tmp/copy.db'",
  "EXPLAIN COMMIT",
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

/** They run, or fail as statements do; whatever they do, it takes little memory and time. */
const bombs: Readonly<Record<string, string>> = {
  "a blob past the limit": "SELECT zeroblob(1000000000)",
  "random bytes past the limit": "SELECT length(randomblob(1000000000))",
  "a text by printf": "SELECT length(printf('%.*c', 1000000000, 'x'))",
  "a text by its hex": "SELECT length(hex(zeroblob(900000000)))",
  "a text by replace": "SELECT length(replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000000))))",
  "a text that doubles": `WITH RECURSIVE b(x) AS (SELECT 'x' UNION ALL SELECT x || x FROM b LIMIT 40) SELECT max(length(x)) FROM b`,
  "an aggregate":
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) SELECT length(group_concat(hex(zeroblob(1000000)))) FROM n",
  "endless rows": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
  "a long pattern": `SELECT 'a' LIKE '${"%a".repeat(30_000)}'`,
  "a long glob": `SELECT 'a' GLOB '${"*a".repeat(30_000)}'`,
  "a deep expression": `SELECT ${"(".repeat(20_000)}1${")".repeat(20_000)}`,
  "a long sum": `SELECT ${"1+".repeat(20_000)}1`,
  "many selects": Array.from({ length: 600 }, () => "SELECT 1").join(" UNION ALL "),
  "many columns": `CREATE TABLE wide (${Array.from({ length: 3_000 }, (_, index) => `c${index}`).join(",")})`,
  "many arguments": `SELECT max(${Array.from({ length: 2_000 }, () => "1").join(",")})`,
  "a high parameter": "SELECT ?40000",
  "triggers that call each other":
    "CREATE TABLE u (a); CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO u VALUES (1); END; CREATE TRIGGER h AFTER INSERT ON u BEGIN INSERT INTO t VALUES (1, 2); END; INSERT INTO t VALUES (1, 2); SELECT zeroblob(900000000)",
  "a view that is in itself": "CREATE VIEW v AS SELECT * FROM v; SELECT * FROM v",
  "deep JSON": `SELECT json('${"[".repeat(5_000)}${"]".repeat(5_000)}')`,
  "a file to read": "SELECT readfile('/etc/passwd')",
  "a file to write": "SELECT writefile('/tmp/x', 'x')",
  "an editor": "SELECT edit('x', 'sh')",
  "a shell": "SELECT shell('ls')",
  "a generated column of the runtime's": "CREATE TABLE u (a, b AS ((SELECT value FROM _troupe_rows)))",
  "a check of the runtime's": "CREATE TABLE u (a CHECK (a IN (SELECT key FROM _troupe_rows)))",
  "a default of the runtime's": "CREATE TABLE u (a DEFAULT (SELECT key FROM _troupe_rows))",
  "the page table": "SELECT * FROM sqlite_dbpage",
  "the statistics of pages": "SELECT * FROM dbstat",
  "the list of statements": "SELECT * FROM sqlite_stmt",
  "bytes of pages": "SELECT * FROM sqlite_dbdata",
  "a table function of the schema": "SELECT * FROM pragma_writable_schema",
  "a view to write through": "CREATE VIEW v AS SELECT * FROM _troupe_rows; INSERT INTO v VALUES (1, 2, 3)",
  "a trigger instead of": "CREATE TRIGGER g INSTEAD OF INSERT ON _troupe_rows BEGIN SELECT 1; END",
  "the schema, changed": "UPDATE sqlite_schema SET sql = '' WHERE name = 't'",
  "the schema, emptied": "DELETE FROM sqlite_master",
  "the schema, added to": "INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 2, 'CREATE TABLE x (a)')",
  "a search table over the runtime's rows":
    "CREATE VIRTUAL TABLE x USING fts5(a, content='_troupe_rows'); SELECT * FROM x",
  "a search table over the runtime's values":
    "CREATE VIRTUAL TABLE x USING fts5(value, content='_troupe_rows', content_rowid='crc'); SELECT * FROM x",
  "a NUL": "SELECT 1\0; DELETE FROM _troupe_rows",
};

test.each(Object.entries(bombs))("harmless: %s", async (_name, sql) => {
  await using scope = new Scope();
  const { client } = await setupTest(scope, setup({ use: { box } }));
  const [handle, other] = [client.box.getOrCreate(["a"]), client.box.getOrCreate(["b"])];
  expect(await other.run("INSERT INTO t VALUES (1, 2)")).toBe("ran");
  const before = process.memoryUsage().rss;
  expect(await handle.run(sql)).toMatch(/^sql\.(failed|not_allowed|result_too_large)$/);
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
  // This actor and the other go on, and what the runtime keeps is whole.
  expect(await handle.run("INSERT INTO t VALUES (7, 8)")).toMatch(/^ran$|^sql/);
  expect([await handle.state(), await other.state()]).toEqual([{ secret: 1 }, { secret: 1 }]);
});

test("what isn't text is told apart from text with a NUL, and how to bind one", async () => {
  await using scope = new Scope();
  const texts = actor({
    db: db(),
    actions: {
      run: (c, sql: string) => c.db.execute(sql).catch((cause: Error) => cause.message),
      bind: (c) => c.db.execute("SELECT length(CAST(? AS BLOB)) AS n", "a\0b"),
    },
  });
  const { client } = await setupTest(scope, setup({ use: { texts } }));
  const handle = client.texts.getOrCreate(["a"]);
  expect(await handle.run("SELECT 'a\0b'")).toMatch(/NUL .* bind the value/);
  expect(await handle.run(5 as never)).toMatch(/isn't text but number/);
  expect(await handle.bind()).toEqual([{ n: 3 }]);
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
