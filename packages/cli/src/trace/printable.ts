/** A line as a terminal may be given it: what models and files say moves no cursor, colours nothing, turns no text around and begins no line of its own. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "?");
}
