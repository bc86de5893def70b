/**
 * MultiInsert: rows of one table, gathered over a transaction and put eight to a statement.
 *
 * Measured: a row of state costs a tenth less than one by one, an actor's row with its two indexes a fifth; 32 to a
 * statement are no better.
 */
import type { Database, Statement } from "./sqlite.ts";

/** What a column of a row may hold. */
export type Parameter = string | number | Uint8Array | null;

const ROWS_PER_STATEMENT = 8;

/** The rows that one transaction puts into a table. */
export class MultiInsert {
  readonly #one: Statement;
  readonly #many: Statement;
  readonly #columns: number;
  /** Parameters of the gathered rows, one row after the other. */
  readonly #gathered: Parameter[] = [];

  /** `conflict`: the clause for a row whose key is there; without it such a row is an error. */
  constructor(
    database: Database,
    { table, columns, conflict = "" }: { table: string; columns: readonly string[]; conflict?: string },
  ) {
    const row = `(${columns.map(() => "?").join(", ")})`;
    const statement = (rows: number): Statement => {
      const values = Array.from({ length: rows }, () => row).join(", ");
      return database.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES ${values} ${conflict}`);
    };
    this.#columns = columns.length;
    this.#one = statement(1);
    this.#many = statement(ROWS_PER_STATEMENT);
  }

  /** Takes a row. It is in the table after the next `flush`, at the latest. */
  add(...row: readonly Parameter[]): void {
    this.#gathered.push(...row);
    if (this.#gathered.length < ROWS_PER_STATEMENT * this.#columns) return;
    this.#many.run(...this.#gathered);
    this.#gathered.length = 0;
  }

  flush(): void {
    for (let at = 0; at < this.#gathered.length; at += this.#columns) {
      this.#one.run(...this.#gathered.slice(at, at + this.#columns));
    }
    this.#gathered.length = 0;
  }

  /** Forgets what is gathered: its transaction has failed. */
  clear(): void {
    this.#gathered.length = 0;
  }
}
