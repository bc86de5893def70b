/**
 * What SQL gives, statement by statement: values at the ends of their types, parameters of every kind, errors. The same list
 * runs in every place where an actor's code may be: one statement after the other, all of them at once, and as batches.
 */
import { TroupeError } from "@troupe/base";
import type { BindParam } from "@troupe/protocol";
import type { Database } from "@troupe/runtime";

type Named = Readonly<Record<string, BindParam>>;

interface Sample {
  readonly sql: string;
  readonly args?: readonly BindParam[] | Named;
  /** Rows, or the code of an error. */
  readonly gives: Gives;
}

type Gives = readonly object[] | string;

const bytes = new Uint8Array([0, 1, 254, 255]);
const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];

/** In the order in which they run. */
export const corpus: readonly Sample[] = [
  { sql: "SELECT ? AS a", args: [9_007_199_254_740_993n], gives: [{ a: 9_007_199_254_740_993n }] },
  { sql: "SELECT ? AS a, ? AS b", args: [least, most], gives: [{ a: least, b: most }] },
  { sql: "SELECT ? AS a", args: [2n ** 63n], gives: "sql.invalid_parameter" },
  { sql: "SELECT ?1 AS a, typeof(?1) AS t", args: [3], gives: [{ a: 3, t: "integer" }] },
  { sql: "SELECT ?1 AS a, typeof(?1) AS t", args: [0.1], gives: [{ a: 0.1, t: "real" }] },
  { sql: "SELECT ? AS a, ? AS b", args: [1e308, -5e-324], gives: [{ a: 1e308, b: -5e-324 }] },
  { sql: "SELECT 1e999 AS a, -1e999 AS b", gives: [{ a: Infinity, b: -Infinity }] },
  { sql: "SELECT ? IS NULL AS a", args: [Number.NaN], gives: [{ a: 1 }] },
  { sql: "SELECT ? AS a, ? AS b, ? AS c", args: [true, false, null], gives: [{ a: 1, b: 0, c: null }] },
  { sql: "SELECT ?1 AS a, length(?1) AS n", args: ["a\0b"], gives: [{ a: "a\0b", n: 1 }] },
  { sql: "SELECT ?1 AS a, length(?1) AS n", args: ["é🐝"], gives: [{ a: "é🐝", n: 2 }] },
  { sql: "SELECT ? AS a, ? AS b", args: ["", new Uint8Array(0)], gives: [{ a: "", b: new Uint8Array(0) }] },
  { sql: "SELECT ?1 AS a, length(?1) AS n", args: [bytes], gives: [{ a: bytes, n: 4 }] },
  {
    sql: "SELECT :a AS a, @b AS b, $c AS c",
    args: { a: 1, "@b": "two", $c: 3n },
    gives: [{ a: 1, b: "two", c: 3 }],
  },
  { sql: "SELECT ?2 AS a, ?1 AS b", args: ["first", "second"], gives: [{ a: "second", b: "first" }] },
  { sql: "CREATE TABLE corpus (id INTEGER PRIMARY KEY, n INT UNIQUE) STRICT", gives: [] },
  { sql: "INSERT INTO corpus (n) VALUES (?), (?)", args: [1, 2], gives: [] },
  { sql: "INSERT INTO corpus (n) VALUES (?) RETURNING id, n", args: [3], gives: [{ id: 3, n: 3 }] },
  { sql: "INSERT INTO corpus (n) VALUES (1)", gives: "sql.failed" },
  { sql: "INSERT INTO corpus (n) VALUES ('no number')", gives: "sql.failed" },
  { sql: "SELECT count(*) AS c, total(n) AS t FROM corpus", gives: [{ c: 3, t: 6 }] },
  { sql: "SELECT 1 AS a; SELECT 2 AS b", gives: [{ b: 2 }] },
  { sql: "SELECT ? AS a; SELECT 2 AS b", args: [1], gives: "sql.one_statement" },
  { sql: "-- nothing", gives: [] },
  { sql: "SELECT nothing FROM nowhere", gives: "sql.failed" },
  { sql: "SELECT ? AS a", args: [1, 2], gives: "sql.parameters_mismatch" },
  { sql: "SELECT ? AS a, ? AS b", args: [1], gives: "sql.parameters_mismatch" },
  { sql: "SELECT ? AS a", gives: "sql.parameters_mismatch" },
  { sql: "SELECT 1 AS a", args: [1], gives: "sql.parameters_mismatch" },
  { sql: "SELECT ?2 AS a", args: [1], gives: "sql.parameters_mismatch" },
  { sql: "SELECT :a AS a, :b AS b", args: { a: 1 }, gives: "sql.parameters_mismatch" },
  { sql: "SELECT :a AS a", args: { a: 1, b: 2 }, gives: "sql.parameters_mismatch" },
  { sql: "SELECT :a AS a", args: [1], gives: "sql.parameters_mismatch" },
  { sql: "SELECT ? AS a", args: { a: 1 }, gives: "sql.parameters_mismatch" },
  { sql: "SELECT '?' AS a /* ? */ -- :b", gives: [{ a: "?" }] },
  { sql: "ATTACH ':memory:' AS other", gives: "sql.not_allowed" },
  { sql: "SELECT * FROM _troupe_rows", gives: "sql.not_allowed" },
  { sql: "DROP TABLE corpus", gives: [] },
];

/** What each of them gives, in each way to run it. */
export async function runCorpus(db: Database): Promise<readonly (readonly Gives[])[]> {
  const execute = ({ sql, args = [] }: Sample): Promise<Gives> =>
    db.execute(sql, ...(isNamed(args) ? [args] : args)).catch(codeOf);
  const batch = ({ sql, args = [] }: Sample): Promise<Gives> =>
    db
      .batch([{ sql, args }])
      .then(
        (results) => results.flatMap(({ columns, rows }) => rows.map((row) => rowOf(columns, row))),
        codeOf,
      );
  const alone: Gives[] = [];
  for (const sample of corpus) alone.push(await execute(sample));
  const together = await Promise.all(corpus.map(execute));
  return [alone, together, await Promise.all(corpus.map(batch))];
}

function isNamed(args: Sample["args"] | []): args is Named {
  return !Array.isArray(args);
}

function rowOf(columns: readonly string[], row: readonly unknown[]): object {
  return Object.fromEntries(columns.map((name, index) => [name, row[index]]));
}

function codeOf(error: unknown): string {
  return TroupeError.is(error) ? `${error.group}.${error.code}` : String(error);
}
