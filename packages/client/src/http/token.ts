import { TOKEN_SUBPROTOCOL_PREFIX } from "@troupe/protocol";

/** The token as a subprotocol, the one header of a WebSocket that a browser lets a page set. */
export function tokenSubprotocol(token: string): string {
  return textSubprotocol(TOKEN_SUBPROTOCOL_PREFIX, token);
}

/** A text as a subprotocol: the prefix, and the text's UTF-8 in base64url. */
export function textSubprotocol(prefix: string, text: string): string {
  const bytes = new TextEncoder().encode(text);
  const base64 = btoa(String.fromCharCode(...bytes));
  return prefix + base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
