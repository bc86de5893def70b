/**
 * The path of a request, as guardrails must know it: in the one spelling that all others of the same path come to. A provider
 * may read `/v1//messages`, `/v1/x/../messages`, `/v1/%6Dessages` or `/v1/messages;x=1` as `/v1/messages`, so here they are that too.
 */
import { proxyErrors } from "./errors.ts";

/** A path that is spelt in that way already, as nearly all are, up to its query. */
const plain = /^(?:\/[\w:-][\w:.-]*)+(?=\?|$)/;

/** Throws `gateway.bad_request` for an address of another host, and for what can't be read. */
export function pathOf(url: string): string {
  const [spelt] = plain.exec(url) ?? [];
  if (spelt !== undefined) return spelt;
  if (!url.startsWith("/")) throw proxyErrors.badRequest("the address must be a path");
  try {
    // Behind an origin of its own: "//host/" is a path here, and no host.
    const { pathname } = new URL(`http://gateway${url}`);
    // Parameters of a segment, which many servers drop before they look for its handler.
    const bare = decodeURIComponent(pathname).replaceAll(/;[^/]*/g, "");
    const decoded = new URL(`http://gateway${bare}`).pathname;
    return decoded.replaceAll(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
  } catch {
    throw proxyErrors.badRequest("the path can't be read");
  }
}
