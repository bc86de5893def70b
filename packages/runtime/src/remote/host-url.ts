/** Where hosts open their link, by the address that an engine is known by. */
export function hostUrl(endpoint: string): string {
  const url = new URL("/hosts/connect", endpoint);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
