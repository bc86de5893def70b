import { TOKEN_SUBPROTOCOL_PREFIX } from "@troupe/protocol";

/** The token as a subprotocol, the one header of a WebSocket that a browser lets a page set. */
export function tokenSubprotocol(token: string): string {
  const bytes = new TextEncoder().encode(token);
  const base64 = btoa(String.fromCharCode(...bytes));
  return TOKEN_SUBPROTOCOL_PREFIX + base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
