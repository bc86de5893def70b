/**
 * Incomplete line: whether what was typed is the beginning of a command, which goes on in the next line: a here-document, an open quote, a loop, a `\` at
 * the end. just-bash's parser tells by the place of its error; the body of a here-document may be missing for it.
 */
import type { parse } from "just-bash";

/** A `\`, or what wants a command behind it, at the end: just-bash takes them as they are. */
const OPEN_END = /(?:^|[^\\])(?:\\\\)*(?:\\|\||&&)$/;

/** Whether more must come before it can run. What is wrong already isn't. */
export function isIncomplete(parser: typeof parse, typed: string): boolean {
  try {
    return isOpen(parser(typed)) || OPEN_END.test(typed);
  } catch (cause) {
    // With the end of the line behind it: a word that is missing there doesn't come in the next one.
    return isAtEnd(cause) && isAtEnd(errorOf(parser, `${typed}\n`));
  }
}

/** A here-document has no end. */
function isOpen(script: object): boolean {
  let open = false;
  JSON.stringify(script, (name, value: unknown) => {
    if (name === "terminated" && value === false) open = true;
    return value;
  });
  return open;
}

function errorOf(parser: typeof parse, typed: string): unknown {
  try {
    parser(typed);
  } catch (cause) {
    return cause;
  }
}

function isAtEnd(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if (cause.message.includes("unexpected EOF while looking for")) return true;
  const token: unknown = Reflect.get(cause, "token");
  return typeof token === "object" && token !== null && "type" in token && token.type === "EOF";
}
