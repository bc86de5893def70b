/**
 * The user's own pages and addresses on the gateway's port: `setup({ fetch })`.
 */
import { gatewayErrors } from "../errors.ts";
import type { GatewayRequest, GatewayResponse } from "./http-message.ts";

/** Answers a request, as serverless platforms have it. */
export type AppFetch = (request: Request) => Response | Promise<Response>;

/** Asks the app. Rejects with what it throws, `gateway.method_not_allowed` and `gateway.no_response`. */
export async function answerApp(app: AppFetch, request: GatewayRequest): Promise<GatewayResponse> {
  // fetch's Request can't be one.
  if (request.method === "TRACE") throw gatewayErrors.methodNotAllowed(request.method);
  const response = await app(requestOf(request));
  // Not `instanceof`: the app may use a Response of its own, from a polyfill or a package.
  if (typeof response?.arrayBuffer !== "function") throw gatewayErrors.noResponse();
  return {
    status: response.status,
    headers: Object.fromEntries([...response.headers].filter(([name]) => name !== "set-cookie")),
    cookies: response.headers.getSetCookie(),
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

/** The platform's own request has no body any more: the gateway has read it. Fetch knows none of GET and HEAD. */
function requestOf(request: GatewayRequest): Request {
  const bare = request.toRequest();
  const bodiless = request.body.length === 0 || bare.method === "GET" || bare.method === "HEAD";
  return bodiless ? bare : new Request(bare, { body: new Uint8Array(request.body) });
}
