/** What access to a gateway is decided by, read from a request. */
import type { AccessRequest } from "./access.ts";
import type { GatewayRequest } from "./http-message.ts";
import { isInspectorPath } from "./inspector-door.ts";

/** True for the addresses that whoever watches a process asks. */
export function isProbe(url: string): boolean {
  return url === "/livez" || url === "/readyz";
}

/** What access is decided by. */
export function accessRequest(request: Pick<GatewayRequest, "header" | "method" | "url">): AccessRequest {
  return {
    host: request.header("host"),
    origin: request.header("origin"),
    authorization: request.header("authorization"),
    subprotocols: request.header("sec-websocket-protocol"),
    preflight: request.method === "OPTIONS",
    inspector: isInspectorPath(request.url),
    probe: isProbe(request.url),
  };
}
