/**
 * The user's own pages and addresses on the gateway's port: `setup({ fetch })`.
 */
import { serverErrors } from "../errors.ts";
import { checkMethod, type GatewayRequest, type GatewayResponse } from "./http-message.ts";

/** Answers a request, as serverless platforms have it. */
export type AppFetch = (request: Request) => Response | Promise<Response>;

/**
 * Asks the app. Rejects with what it throws, `gateway.method_not_allowed`, `gateway.no_response`, and
 * `gateway.bad_response` for what no server can send.
 */
export async function answerApp(app: AppFetch, request: GatewayRequest): Promise<GatewayResponse> {
  checkMethod(request.method);
  const response = await app(requestOf(request));
  // Not `instanceof`: the app may use a Response of its own, from a polyfill or a package.
  if (typeof response?.arrayBuffer !== "function") throw serverErrors.noResponse();
  const headers = headersOf(response);
  return {
    status: statusOf(response),
    headers: Object.fromEntries([...headers].filter(([name]) => name !== "set-cookie")),
    cookies: headers.getSetCookie(),
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

/** `Response.error()` has status 0, a polyfill's may have any. 1xx would be no answer yet. */
function statusOf({ status }: Response): number {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status;
  throw serverErrors.badResponse(`its status is ${String(status)}`);
}

/** Fetch lets control characters pass that HTTP forbids, and servers throw at. */
const forbiddenInHeaders = /[^\t\u0020-\u007e\u0080-\u00ff]/;

/** Headers that any server can send. */
function headersOf(response: Response): Headers {
  let headers: Headers;
  try {
    headers = new Headers(response.headers);
  } catch (cause) {
    throw serverErrors.badResponse("its headers can't be read", cause);
  }
  for (const [name, value] of headers) {
    if (forbiddenInHeaders.test(value))
      throw serverErrors.badResponse(`its header ${name} has a character that HTTP forbids`);
  }
  return headers;
}

/** The platform's own request has no body any more: the gateway has read it. Fetch knows none of GET and HEAD. */
function requestOf(request: GatewayRequest): Request {
  const bare = request.toRequest();
  const bodiless = request.body.length === 0 || bare.method === "GET" || bare.method === "HEAD";
  return bodiless ? bare : new Request(bare, { body: new Uint8Array(request.body) });
}
