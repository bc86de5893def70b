/**
 * Statements: where each of a text's statements begins and ends, and the words that it begins with.
 *
 * Only texts that may hold `BEGIN`, `COMMIT` and their like are looked at: all others go to SQLite as they are, which takes
 * them apart by itself. What this reads wrongly does no harm: SQLite refuses every statement that would end a transaction.
 */

/** One statement of a text. */
export interface StatementText {
  readonly text: string;
  /** Its first words and signs, in lower case but for quoted names, which keep their quotes. */
  readonly words: readonly string[];
}

/** As many as are needed to know what kind of statement it is. */
const WORDS = 8;

const token =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?|[\p{L}\p{N}_$]+|[\s\S]/uy;

const mayControl = /\b(?:begin|commit|end|rollback|savepoint|release)\b/i;

/** Texts that are kept in mind. */
const KEPT = 128;
/** Longer ones are looked at each time. Characters. */
const KEPT_LENGTH = 4_096;

/** Texts, and what is known of them: an actor runs the same ones again and again. */
export class KnownTexts {
  readonly #plain = new Set<string>();

  /** True when some statement of the text may begin or end a transaction. */
  mayControlTransactions(sql: string): boolean {
    if (this.#plain.has(sql)) return false;
    if (mayControl.test(sql)) return true;
    if (sql.length > KEPT_LENGTH) return false;
    if (this.#plain.size >= KEPT) this.#plain.clear();
    this.#plain.add(sql);
    return false;
  }
}

/** The statements of a text, without those that are empty. */
export function splitStatements(sql: string): StatementText[] {
  const statements: StatementText[] = [];
  let start = 0;
  let words: string[] = [];
  let last: readonly string[] = [];
  const end = (at: number): void => {
    if (words.length > 0) statements.push({ text: sql.slice(start, at), words });
    start = at;
    words = [];
    last = [];
  };
  token.lastIndex = 0;
  for (let found = token.exec(sql); found !== null; found = token.exec(sql)) {
    const [text] = found;
    if (isSpace(text)) continue;
    // The statements inside of a trigger have semicolons of their own.
    if (text === ";" && (!isTrigger(words) || (last[0] === ";" && last[1] === "end"))) {
      end(found.index + 1);
      continue;
    }
    const word = text.toLowerCase();
    last = [last[1] ?? "", word];
    if (words.length < WORDS) words.push(/^["'`[]/.test(text) ? text : word);
  }
  end(sql.length);
  return statements;
}

function isSpace(text: string): boolean {
  return text.startsWith("--") || text.startsWith("/*") || text.trim() === "";
}

function isTrigger([first, second, third]: readonly string[]): boolean {
  if (first !== "create") return false;
  return second === "trigger" || ((second === "temp" || second === "temporary") && third === "trigger");
}
