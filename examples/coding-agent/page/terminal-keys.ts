/** What a key of the keyboard is for a terminal. */

const ESCAPE = "\u001b";
const keys: Readonly<Record<string, string>> = {
  Enter: "\r",
  Backspace: "\u007f",
  Tab: "\t",
  Escape: ESCAPE,
  Delete: `${ESCAPE}[3~`,
  PageUp: `${ESCAPE}[5~`,
  PageDown: `${ESCAPE}[6~`,
};
const moves: Readonly<Record<string, string>> = {
  ArrowUp: "A",
  ArrowDown: "B",
  ArrowRight: "C",
  ArrowLeft: "D",
  End: "F",
  Home: "H",
};

type Key = Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey" | "shiftKey">;

/** What is sent for it; undefined: it is text, or the browser's. */
export function bytesOfKey(
  { key, ctrlKey, altKey, metaKey, shiftKey }: Key,
  applicationKeys: boolean,
): string | undefined {
  if (metaKey) return undefined;
  // Shift-Tab leaves the terminal, for whoever has no mouse.
  if (key === "Tab" && shiftKey) return undefined;
  const move = moves[key];
  if (move !== undefined) return `${ESCAPE}${applicationKeys ? "O" : "["}${move}`;
  const known = keys[key];
  if (known !== undefined) return altKey ? ESCAPE + known : known;
  // Copying and pasting are the browser's, with Shift as in other terminals.
  if (ctrlKey && !shiftKey && /^[a-z@[\\\]^_]$/i.test(key) && key !== "v")
    return String.fromCharCode(key.toUpperCase().charCodeAt(0) & 0x1f);
  return altKey && !ctrlKey && key.length === 1 ? ESCAPE + key : undefined;
}
