/** What a gateway needs of the inspector: it brings requests and sockets, and knows nothing of what is asked. */
import type { Link } from "../ports/transport.ts";
import type { AccessRequest } from "./access.ts";
import type { GatewayRequest, GatewayResponse } from "./http-message.ts";
import type { GatewayServices, Session } from "./services.ts";

/** The address of a live connection. */
export interface InspectorRoute {
  readonly kind: "inspector";
  readonly actorId: string;
}

/** The inspector, behind the gateway's door. */
export interface InspectorDoor {
  /** It has a page at `/inspector/ui`. */
  readonly page: "page" | undefined;
  /** Answers what was admitted. Rejects with what refuses it. `metrics`: the gateway's own, as text. */
  answer(request: GatewayRequest, metrics: () => string): Promise<GatewayResponse>;
  /** Throws `gateway.unauthorized`, `gateway.not_found`. */
  socketRoute(url: string, request: AccessRequest): InspectorRoute;
  session(link: Link, route: InspectorRoute, services: GatewayServices): Session;
}

/** True for the inspector's addresses. */
export function isInspectorPath(url: string): boolean {
  return url.startsWith("/inspector") && (url.length === 10 || url[10] === "/" || url[10] === "?");
}
