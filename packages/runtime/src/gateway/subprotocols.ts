/**
 * The subprotocols that a WebSocket offers: the one way for a page to say something before the socket is open. Ours carry
 * the token and the parameters of raw sockets; any other is between the client and the actor.
 */
import { PARAMS_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from "@troupe/protocol";
import { headerParams } from "./params.ts";

/** The one that a raw socket agrees on: the client's first, ours when it offers no other; empty for none. */
export function agreed(header: string | undefined): string {
  const offered = names(header);
  const theirs = offered.find((name) => name !== SUBPROTOCOL && !name.startsWith(`${SUBPROTOCOL}.`));
  return theirs ?? (offered.includes(SUBPROTOCOL) ? SUBPROTOCOL : "");
}

/** The connection parameters of a raw socket. Throws `gateway.bad_request`, `connection.params_too_long`. */
export function offeredParams(header: string | undefined): unknown {
  const text = carried(PARAMS_SUBPROTOCOL_PREFIX, header);
  return headerParams(text);
}

/** What the subprotocol with this prefix carries: the text behind it is base64url of UTF-8. */
export function carried(prefix: string, header: string | undefined): string | undefined {
  const name = names(header).find((offered) => offered.startsWith(prefix));
  return name === undefined ? undefined : fromBase64Url(name.slice(prefix.length));
}

function names(header: string | undefined): string[] {
  return header?.split(",").map((name) => name.trim()) ?? [];
}

function fromBase64Url(text: string): string | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
