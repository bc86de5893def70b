/**
 * The path of a request, as guardrails must know it: in the one spelling that all others of the same path come to. A provider
 * may read `/v1//messages`, `/v1/x/../messages`, `/v1/%6Dessages` or `/v1/messages;x=1` as `/v1/messages`, so here they are that too.
 */
import { proxyErrors } from "./errors.ts";

/** A path that is spelt in that way already, as nearly all are, up to its query. */
const plain = /^(?:\/[\w:-](?:[\w:.-]*[\w:-])?)+(?=\?|$)/;

/** Throws `gateway.bad_request` for an address of another host, and for what can't be read. */
export function pathOf(url: string): string {
  const [spelt] = plain.exec(url) ?? [];
  if (spelt !== undefined) return spelt;
  if (!url.startsWith("/")) throw proxyErrors.badRequest("the address must be a path");
  try {
    // Behind an origin of its own: "//host/" is a path here, and no host.
    const { pathname } = new URL(`http://gateway${url}`);
    const decoded = new URL(`http://gateway${withoutParameters(decodedWhole(pathname))}`).pathname;
    return decoded.replaceAll(/\/{2,}/g, "/").replace(/(?<=.)(?:\/|\.|%20)+$/, "");
  } catch {
    throw proxyErrors.badRequest("the path can't be read");
  }
}

const escaped = /%[\da-f]{2}/gi;

/** Until nothing is left to decode: who stands between the gateway and the provider's handler may do it once more. Throws for what is no UTF-8. */
function decodedWhole(pathname: string): string {
  let path = decodeURIComponent(pathname);
  for (let before = ""; before !== path; ) {
    before = path;
    // What was spelt so on purpose may be no UTF-8.
    path = path.replaceAll(escaped, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
  }
  return path;
}

/** Parameters of a segment, which many servers drop before they look for its handler, as others do what is behind a null, or a "?" that was decoded. */
function withoutParameters(path: string): string {
  if (/[?#\0].*\//s.test(path)) throw new Error("a path behind a path");
  return path.replaceAll(/[;?#\0][^/]*/g, "");
}
