/**
 * `BEGIN`, `COMMIT` and their like: what a statement says of transactions.
 */

/** A statement that begins or ends a transaction. `name`: a savepoint's, in lower case. */
export type TransactionControl =
  | { readonly kind: "begin" | "commit" | "rollback" }
  | { readonly kind: "savepoint" | "release" | "rollbackTo"; readonly name: string };

const begins: ReadonlySet<string> = new Set(["deferred", "immediate", "exclusive"]);

/** What the words of a statement mean; undefined for one that isn't about transactions. */
export function controlOf(words: readonly string[]): TransactionControl | undefined {
  const [first, ...rest] = words;
  switch (first) {
    case "begin":
      return plain("begin", without(begins.has(rest[0] ?? "") ? rest.slice(1) : rest, "transaction"));
    case "commit":
    case "end":
      return plain("commit", without(rest, "transaction"));
    case "savepoint":
      return named("savepoint", rest);
    case "release":
      return named("release", without(rest, "savepoint"));
    case "rollback": {
      const [to, ...target] = without(rest, "transaction");
      if (to === undefined) return { kind: "rollback" };
      return to === "to" ? named("rollbackTo", without(target, "savepoint")) : undefined;
    }
    default:
      return undefined;
  }
}

function plain(kind: "begin" | "commit", rest: readonly string[]): TransactionControl | undefined {
  return rest.length === 0 ? { kind } : undefined;
}

function named(
  kind: "savepoint" | "release" | "rollbackTo",
  [name, ...rest]: readonly string[],
): TransactionControl | undefined {
  if (name === undefined || rest.length > 0) return undefined;
  return { kind, name: unquoted(name).toLowerCase() };
}

/** Without a word that may stand first. A name that is one, and stands alone, is a name. */
function without(words: readonly string[], noise: string): readonly string[] {
  return words[0] === noise ? words.slice(1) : words;
}

function unquoted(name: string): string {
  const quote = name[0] ?? "";
  if (!"\"'`[".includes(quote)) return name;
  const inside = name.slice(1, -1);
  return quote === "[" ? inside : inside.replaceAll(quote + quote, quote);
}
