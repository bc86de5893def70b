/** What a browser is shown at `/`, where the program itself has nothing there: that this is the right port, and where to look next. */
import type { GatewayRequest, GatewayResponse } from "./http-message.ts";

/** The page, for a browser that asks for it; nothing for anybody else, who is told what programs are. */
export function rootPage(
  request: Pick<GatewayRequest, "method" | "header">,
  path: string,
  inspector: "page" | undefined,
): GatewayResponse | undefined {
  if (request.method !== "GET" || path !== "/") return undefined;
  if (request.header("accept")?.includes("text/html") !== true) return undefined;
  const look =
    inspector === undefined
      ? "To look into actors: <code>setup({ inspector: { token } })</code>, or TROUPE_INSPECTOR_TOKEN, in development."
      : '<a href="/inspector/ui">The inspector</a> looks into them.';
  const body = `<!doctype html><meta charset="utf-8"><title>Troupe</title><p>Actors are served here, by Troupe. ${look}</p><p>What an address is for is in <code>docs/http.md</code>. A page of your own: <code>setup({ fetch })</code>.</p>\n`;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
  };
  return { status: 200, headers, body };
}
