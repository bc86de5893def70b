/**
 * An actor with a database, and the floor beside it: the same statements on `node:sqlite` alone, in the same process, in
 * turn with the actor's.
 */
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { actor, type Database, db } from "@troupe/runtime";
import { median } from "./statistics.ts";

const TABLE =
  "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, n INTEGER NOT NULL)";
const SELECT = "SELECT id, text, n FROM notes WHERE id = ?";
const INSERT = "INSERT INTO notes (text, n) VALUES (?, ?)";
const ROWS = 10_000;
/** Pairs of a floor and an actor's part: the first ones warm both up. */
const PAIRS = 60;
const WARM = 20;

/** What one statement costs, microseconds. */
export interface StatementCost {
  readonly floorUs: number;
  readonly actorUs: number;
}

/** The floor's database. */
class RawNotes {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0",
    );
    this.#database.exec(TABLE);
    this.#select = this.#database.prepare(SELECT);
    this.#insert = this.#database.prepare(INSERT);
  }

  /** Statements of one transaction, without its end. */
  insert(count: number): number {
    this.#database.exec("BEGIN; DELETE FROM notes");
    const before = performance.now();
    for (let n = 0; n < count; n++) this.#insert.run(`note ${n}`, n);
    const us = perStatement(before, count);
    this.#database.exec("COMMIT");
    return us;
  }

  select(count: number): number {
    const before = performance.now();
    for (let n = 0; n < count; n++) this.#select.get(idAt(n));
    return perStatement(before, count);
  }
}

async function insert(database: Database, count: number): Promise<number> {
  await database.execute("DELETE FROM notes");
  const before = performance.now();
  for (let n = 0; n < count; n++) await database.execute(INSERT, `note ${n}`, n);
  return perStatement(before, count);
}

async function select(database: Database, count: number): Promise<number> {
  const before = performance.now();
  for (let n = 0; n < count; n++) await database.execute(SELECT, idAt(n));
  return perStatement(before, count);
}

function perStatement(before: number, count: number): number {
  return ((performance.now() - before) * 1_000) / count;
}

/** All over the table. */
function idAt(n: number): number {
  return 1 + ((n * 7_919) % ROWS);
}

async function compare(floor: () => number, ours: () => Promise<number>): Promise<StatementCost> {
  const floors: number[] = [];
  const actors: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    floors.push(floor());
    actors.push(await ours());
  }
  return { floorUs: median(floors.slice(WARM)), actorUs: median(actors.slice(WARM)) };
}

/** The actor. The floor's file is in `directory`. */
export function notesActor(directory: string) {
  let raw: RawNotes | undefined;
  const floor = (): RawNotes => {
    raw ??= new RawNotes(join(directory, "floor.db"));
    return raw;
  };
  return actor({
    db: db({
      onMigrate: async (tx) => {
        await tx.execute(TABLE);
      },
    }),
    options: { sleepTimeout: 600_000, actionTimeout: 600_000 },
    actions: {
      add: async (c, n: number) => {
        await c.db.execute(INSERT, "a note", n);
      },
      read: (c) => c.db.execute("SELECT count(*) AS notes FROM notes"),
      fill: async (c) => {
        floor().insert(ROWS);
        await insert(c.db, ROWS);
      },
      // Behind `fill`: its writes are stored by then, and a read is by itself on both sides.
      selects: (c): Promise<StatementCost> =>
        compare(
          () => floor().select(2_000),
          () => select(c.db, 2_000),
        ),
      inserts: (c): Promise<StatementCost> =>
        compare(
          () => floor().insert(ROWS),
          () => insert(c.db, ROWS),
        ),
    },
  });
}
