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

/** Throws `gateway.host_not_allowed` or `gateway.origin_not_allowed`. */
export function checkAccess(headers: {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}): void {
  const { host = "", origin } = headers;
  if (!isLoopbackHost(host)) throw requestErrors.hostNotAllowed(host);
  if (origin !== undefined && !isLoopbackOrigin(origin)) throw requestErrors.originNotAllowed(origin);
}

/** A Host header: a loopback name, and maybe a port; nothing before, between or behind them. */
function isLoopbackHost(header: string): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\]+)(?::\d{0,5})?$/i.exec(header)?.[1];
  return name !== undefined && loopbackHosts.has(name.toLowerCase());
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && loopbackHosts.has(new URL(origin).hostname);
}
