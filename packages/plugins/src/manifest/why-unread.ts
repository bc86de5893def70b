/** Why a manifest can't be read, in one line, for who named it. */

/** What isn't TOML in it, and in which line; the parser goes on with the lines around it. */
export function notToml(cause: unknown): string {
  const [what = ""] = reasonOf(cause).split("\n");
  const line = cause instanceof Error && "line" in cause ? ` (line ${String(cause.line)})` : "";
  return `${what}${line}`;
}

/** The path has been said; the system would say it again. */
export function unreadBecause(cause: unknown): string {
  const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
  if (missing)
    return "isn't there: a plugin is a folder with a manifest (troupe-plugin.toml), or that manifest";
  return `can't be read: ${reasonOf(cause)}`;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
