import { error } from "../new-error.ts";

/**
 * Errors of SQL. Those that quote a statement or SQLite's own words are for the actor's code: a caller outside is told
 * `internal.error`, as of any other error that isn't public.
 */
export const sqlErrors = {
  noDatabase: (name: string) =>
    error(500, "sql", "no_database", `Actor "${name}" has no database: give it \`db: db()\``),
  unavailable: () =>
    error(500, "sql", "unavailable", "Actors with a database can't run here: the storage has no SQL"),
  failed: (cause: Error, code: number | undefined) =>
    error(500, "sql", "failed", cause.message, {
      public: false,
      cause,
      ...(code === undefined ? {} : { metadata: { sqliteCode: code } }),
    }),
  notAllowed: (what: string) =>
    error(403, "sql", "not_allowed", `An actor's SQL can't do that: ${what}`, { public: false }),
  oneStatement: () =>
    error(400, "sql", "one_statement", "With parameters it must be one statement", { public: false }),
  invalidParameter: (name: string | number) =>
    error(
      400,
      "sql",
      "invalid_parameter",
      `Parameter ${name} must be null, a boolean, a number, a bigint of 64 bits, a string or a Uint8Array`,
      { public: false },
    ),
  parametersMismatch: (why: string) =>
    error(
      400,
      "sql",
      "parameters_mismatch",
      `The statement's parameters aren't those that it was given: ${why}`,
      {
        public: false,
      },
    ),
  textTooLong: (bytes: number, limit: number) =>
    error(413, "sql", "text_too_long", `The SQL has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  tooManyParameters: (count: number, limit: number) =>
    error(413, "sql", "too_many_parameters", `There are ${count} parameters; the limit is ${limit}`, {
      metadata: { count, limit },
    }),
  parametersTooLarge: (bytes: number, limit: number) =>
    error(413, "sql", "parameters_too_large", `The parameters have ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  invalidStatement: (index: number) =>
    error(400, "sql", "invalid_statement", `Statement ${index} of the batch must be text, or { sql, args }`, {
      public: false,
      metadata: { index },
    }),
  tooManyStatements: (count: number, limit: number) =>
    error(413, "sql", "too_many_statements", `The batch has ${count} statements; the limit is ${limit}`, {
      metadata: { count, limit },
    }),
  batchTooLarge: (limit: number) =>
    error(413, "sql", "batch_too_large", `The batch has more than ${limit} bytes of SQL and parameters`, {
      metadata: { limit },
    }),
  resultTooLarge: (what: "rows" | "bytes", limit: number) =>
    error(413, "sql", "result_too_large", `The result has more than ${limit} ${what}: read it in pages`, {
      metadata: { limit },
    }),
  batchUndone: (cause: unknown) =>
    error(500, "sql", "batch_undone", "SQLite undid all that this batch had written", { cause }),
  transactionEnded: () =>
    error(500, "sql", "transaction_ended", "This transaction has ended: what was left behind writes nothing"),
  transactionTimedOut: (timeoutMs: number) =>
    error(
      500,
      "sql",
      "transaction_timed_out",
      `The transaction took longer than ${timeoutMs} ms and was undone. It waits for itself when something in it waits for what is durable, or uses c.db where only \`tx\` is known`,
      { metadata: { timeoutMs } },
    ),
  transactionOpen: () =>
    error(
      409,
      "sql",
      "transaction_open",
      "BEGIN inside a transaction: use SAVEPOINT, or transaction() for one inside another",
    ),
  noTransaction: () =>
    error(409, "sql", "no_transaction", "There is no such transaction: nothing here has begun it"),
  transactionUnfinished: () =>
    error(
      500,
      "sql",
      "transaction_unfinished",
      "What began this transaction has ended without COMMIT or ROLLBACK: it was undone",
    ),
  invalidTimeout: (longestMs: number) =>
    error(
      400,
      "sql",
      "invalid_timeout",
      `A transaction's \`timeout\` must be milliseconds, more than 0 and at most ${longestMs}`,
      { metadata: { longestMs } },
    ),
  tooManyTransactions: (limit: number) =>
    error(429, "sql", "too_many_transactions", `There are ${limit} transactions inside each other`, {
      metadata: { limit },
    }),
  migrationChanged: (number: number, name: string) =>
    error(
      500,
      "sql",
      "migration_changed",
      `Migration ${number} ("${name}") was applied with another name or text: add a new one instead of changing it`,
      { metadata: { number, name } },
    ),
  migrationFailed: (which: string, name: string, cause: unknown) =>
    error(500, "sql", "migration_failed", `Migration ${which} ("${name}") failed: ${Object(cause).message}`, {
      public: false,
      cause,
    }),
  databaseNewer: (applied: number, known: number) =>
    error(
      500,
      "sql",
      "database_newer",
      `The database has seen ${applied} migrations, and this program has ${known}: it was written by a newer one`,
      { metadata: { applied, known } },
    ),
  timedOut: (timeoutMs: number) =>
    error(
      504,
      "sql",
      "timed_out",
      `The SQL took longer than ${timeoutMs} ms and was ended: nothing of it is stored`,
      { metadata: { timeoutMs, applied: "no" } },
    ),
  memoryExceeded: (megabytes: number) =>
    error(
      413,
      "sql",
      "memory_exceeded",
      `The SQL took more than ${megabytes} MiB and was ended: nothing of it is stored`,
      { metadata: { limit: megabytes, applied: "no" } },
    ),
  helperLost: (why: string) =>
    error(503, "sql", "helper_lost", `The process that runs the actor's SQL has ended: ${why}`, {
      retryable: true,
      metadata: { applied: "no" },
    }),
  helpersBusy: (limit: number) =>
    error(503, "sql", "helpers_busy", `All ${limit} processes for SQL are busy`, {
      retryable: true,
      metadata: { limit, applied: "no" },
    }),
  outputInTransaction: () =>
    error(
      500,
      "sql",
      "output_in_transaction",
      "This waits for what was written to be durable, and inside a transaction nothing is yet",
    ),
};

/** Errors of actors whose definition and whose file don't agree. */
export const databaseErrors = {
  databaseGained: (name: string) =>
    error(
      500,
      "storage",
      "database_gained",
      `This actor was made when "${name}" had no database; one can't be given to it later`,
    ),
  databaseLost: (id: string) =>
    error(
      500,
      "storage",
      "database_lost",
      `Actor ${id} has a database, and its definition has none any more: give it back its \`db\``,
    ),
};
