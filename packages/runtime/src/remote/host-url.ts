/**
 * Where hosts open their link, by the address that an engine is known by. An engine of the same machine is known by its
 * socket, `unix:/path`; the route stands behind a `#` then, as a path may hold anything else.
 */
export function hostUrl(endpoint: string): string {
  if (endpoint.startsWith(UNIX)) return `ws+${endpoint}#${ROUTE}`;
  const url = new URL(ROUTE, endpoint);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

const UNIX = "unix:";
const ROUTE = "/hosts/connect";
