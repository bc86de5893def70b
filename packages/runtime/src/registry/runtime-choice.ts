/**
 * What a program chooses of where it runs: what may be part of its process, and whose SQLite its actors' databases are.
 *
 *             │ sql "local": files of this process │ sql "remote": the engine's
 *   ──────────┼────────────────────────────────────┼──────────────────────────────────────────
 *   "native"  │ start(), handler()                 │ startHost(), serverless(), TROUPE_ENDPOINT
 *   "wasm"    │ sqlite.unavailable                 │ startHost(), serverless(), TROUPE_ENDPOINT
 *
 * Without a choice every way is open, and a database is where its actor's state is. With one, the other way is refused before
 * anything is opened: a program that is meant to run without a disk never finds out late that it has made files.
 */
import type { AnyActorDefinition } from "../actor/definition.ts";
import { configErrors } from "../errors.ts";
import { error } from "../new-error.ts";

/** What may be part of the process. */
export type RuntimeKind = "auto" | "native" | "wasm";

/** Whose SQLite it is: this process's, or the engine's. */
export type SqlPlace = "local" | "remote";

/** What `setup` takes of it. */
export interface RuntimeChoice {
  /**
   * "native", or "auto": whatever the platform has. "wasm": JavaScript and modules of WebAssembly alone, no native library, no
   * process and no isolate of a plugin's (`plugin.runtime_refused`), and no SQLite: such a program runs as a host of an engine.
   * Default: "auto".
   */
  readonly runtime?: RuntimeKind;
  /**
   * "local": the actors' databases are files of this process. "remote": they are the engine's, and the program runs as a host of
   * one. What can't be is `sqlite.unavailable`. Default: where the actors' state is; with `runtime: "wasm"` "remote".
   */
  readonly sql?: SqlPlace;
}

type Program = RuntimeChoice & { readonly use: Readonly<Record<string, AnyActorDefinition>> };

const kinds: readonly unknown[] = ["auto", "native", "wasm"];
const places: readonly unknown[] = ["local", "remote"];

/** Throws `config.invalid_option`, and `sqlite.unavailable` for a choice that can be kept nowhere. */
export function checkChoice({ runtime, sql }: RuntimeChoice): void {
  if (runtime !== undefined && !kinds.includes(runtime))
    throw configErrors.invalidOption("runtime", '"auto", "native" or "wasm"');
  if (sql !== undefined && !places.includes(sql))
    throw configErrors.invalidOption("sql", '"local" or "remote"');
  if (runtime === "wasm" && sql === "local")
    throw unavailable('a program with `runtime: "wasm"` has none of its own: say `sql: "remote"`');
}

/** The program is about to run with the databases of `place`. Throws `sqlite.unavailable` when it chose otherwise. */
export function checkPlace({ runtime, sql, use }: Program, place: SqlPlace): void {
  const chosen = sql ?? (runtime === "wasm" ? "remote" : place);
  if (chosen === place) return;
  if (place === "local")
    throw unavailable(
      `the program chose the engine's (${sql === undefined ? '`runtime: "wasm"`' : '`sql: "remote"`'}): run it with startHost(), or with TROUPE_ENDPOINT in its environment`,
    );
  const [name] = Object.entries(use).find(([, definition]) => hasDatabase(definition)) ?? [];
  if (name !== undefined)
    throw unavailable(
      `"${name}" has a database, the program chose \`sql: "local"\`, and a host of an engine stores nothing`,
    );
}

function hasDatabase({ behaviour }: AnyActorDefinition): boolean {
  if (behaviour.kind === "carried") return behaviour.needs.includes("database");
  return behaviour.kind === "remote" ? behaviour.database : behaviour.database !== undefined;
}

function unavailable(why: string): Error {
  return error(500, "sqlite", "unavailable", `There is no SQLite for these actors: ${why}`);
}
