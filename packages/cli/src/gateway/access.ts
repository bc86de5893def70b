/**
 * Who may speak to the gateway.
 *
 * It listens on a loopback address, where every web page that the user has open can send requests too, by DNS rebinding
 * also under a name of its own. So the Host must be a loopback name, and an Origin, where there is one, a loopback one.
 */
import { requestErrors } from "../errors.ts";

const loopbackHosts: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === "::1" || loopbackHosts.has(host);
}

/** What is looked at of a request. */
export interface AskedBy {
  readonly headers: { readonly host?: string | undefined; readonly origin?: string | undefined };
  /** Name, value, name, value … */
  readonly rawHeaders: readonly string[];
}

/** Throws `gateway.bad_request` for more than one Host, `gateway.host_not_allowed` and `gateway.origin_not_allowed`. */
export function checkAccess({ headers, rawHeaders }: AskedBy): void {
  const { host = "", origin } = headers;
  // Node tells the first; whoever reads the others may take another for it.
  if (hostsOf(rawHeaders) > 1) throw requestErrors.badRequest("there is more than one Host");
  if (!isLoopbackHost(host)) throw requestErrors.hostNotAllowed(host);
  if (origin !== undefined && !isLoopbackOrigin(origin)) throw requestErrors.originNotAllowed(origin);
}

function hostsOf(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  return hosts;
}

/** A Host header: a loopback name, and maybe a port; nothing before, between or behind them. */
function isLoopbackHost(header: string): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\]+)(?::\d{0,5})?$/i.exec(header)?.[1];
  return name !== undefined && loopbackHosts.has(name.toLowerCase());
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && loopbackHosts.has(new URL(origin).hostname);
}
