/** What a statement's text asks to be given, held to what SQLite makes of the same text. */
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bindings } from "../../src/node/sqlite/own/bindings.ts";
import { Parameters } from "../../src/node/sqlite/own/parameters.ts";

function why(sql: string, values: Bindings): string {
  try {
    new Parameters(sql).check(values);
    return "";
  } catch (error) {
    return String(error);
  }
}

test.each([
  ["SELECT 1", []],
  ["SELECT ?, ?", [1, 2]],
  ["SELECT ?3, ?", [1, 2, 3, 4]],
  ["SELECT ?1, ?1", [1]],
  ["SELECT :a, @b, $c", { a: 1, "@b": 2, $c: 3 }],
  ["SELECT :a, :a, :A", { a: 1, A: 2 }],
  ["SELECT $a::b(c d)", { "$a::b": 1 }],
  ["SELECT $a::b(c)", { "a::b(c)": 1 }],
  ["SELECT :é, :1", { é: 1, 1: 2 }],
  ["SELECT ?1", { "?1": 1 }],
  ["SELECT :a, ?1", { a: 1 }],
  [`SELECT '?''?', "a""?", [?], \`?\`\`?\`, x'3f', a$b, é$c -- ?\n /* :a */ + /* ?`, []],
])("%s takes %j", (sql, values) => {
  expect(why(sql, values)).toBe("");
});

test.each([
  ["SELECT ?", [], /there are 1, and 0 were given/],
  ["SELECT ?", [1, 2], /there are 1, and 2 were given/],
  ["SELECT 1", { a: 1 }, /there is no "a"/],
  ["SELECT :a", [], /":a" is given by its name/],
  ["SELECT :a", {}, /":a" isn't given/],
  ["SELECT :a", { toString: 1 }, /":a" isn't given/],
  ["SELECT :toString", {}, /":toString" isn't given/],
  ["SELECT ?, :a", { a: 1 }, /without a name/],
])("%s doesn't take %j", (sql, values, reason) => {
  expect(why(sql, values)).toMatch(reason);
});

const plain = ["1", "1.5e3", "x'3f'", "'?'", "'it''s :a'", "/* ? */ 2", "-- :a\n 3", "'{}' ->> '$.a'"];
const places = [
  ...plain,
  "?",
  "?1",
  "?3",
  "?02",
  "abs(?)",
  "1 IN (?, ?)",
  "CASE ? WHEN 1 THEN ?2 END",
  "'a' || ?",
];
const names = [...plain, ":a", "@c", "$d::e", "$b(1)", ":é", ":a || 1"];

test("a list that is as long as it is said to be fills every parameter of SQLite's, and no other one does", () => {
  const database = new DatabaseSync(":memory:");
  const lengths = Array.from({ length: 16 }, (_, length) => length);
  const list = (length: number): number[] => Array.from({ length }, () => 7);
  const story = fc.property(
    fc.array(fc.constantFrom(...places), { minLength: 1, maxLength: 6 }),
    (chosen) => {
      const statement = database.prepare(`SELECT ${chosen.join(", ")}`);
      const fits = (length: number): boolean => {
        try {
          statement.all(...list(length));
          return true;
        } catch {
          return false;
        }
      };
      const taken = lengths.filter((length) => why(statement.sourceSQL, list(length)) === "");
      // One more is past SQLite's last.
      expect(taken).toEqual([lengths.findLast(fits)]);
    },
  );
  fc.assert(story, { numRuns: 300 });
});

test("an object with SQLite's names, all of them and no other, is taken", () => {
  const database = new DatabaseSync(":memory:");
  const story = fc.property(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 6 }), (chosen) => {
    const statement = database.prepare(`SELECT ${chosen.join(", ")}`);
    const own = [":a", "@c", "$d::e", "$b(1)", ":é"].filter((name) =>
      chosen.some((piece) => piece.startsWith(name)),
    );
    const values = Object.fromEntries(own.map((name) => [name, 7]));
    statement.all(values);
    expect(why(statement.sourceSQL, values)).toBe("");
    expect(why(statement.sourceSQL, { ...values, z: 1 })).toContain('there is no "z"');
    for (const name of own) {
      const { [name]: _, ...fewer } = values;
      expect(why(statement.sourceSQL, fewer)).toContain(`"${name}" isn't given`);
    }
  });
  fc.assert(story, { numRuns: 300 });
});
