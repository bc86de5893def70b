/**
 * The gateway behind fetch's Request and Response: for serverless platforms, other HTTP servers, and tests.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { requestErrors, serverErrors } from "../errors.ts";
import type { ByteSource } from "../ports/raw.ts";
import { accessRequest } from "./access-request.ts";
import type { BodyBudget } from "./body-budget.ts";
import { exchangeFetch } from "./fetch-exchange.ts";
import type { Gateway } from "./gateway.ts";
import { encodingOf, type GatewayRequest, type GatewayResponse } from "./http-message.ts";
import { isRequestPath } from "./route.ts";

/** Answers one request. Never rejects. */
export async function handleFetch(gateway: Gateway, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const header = (name: string): string | undefined =>
    request.headers.get(name) ?? (name === "host" ? url.host : undefined);
  const raw = isRequestPath(url.pathname);
  const response = await (raw
    ? admitted(gateway, request, url, header)
    : answer(gateway, request, url, header));
  if (response instanceof Response) return response;
  const headers = new Headers(response.headers);
  for (const cookie of response.cookies ?? []) headers.append("set-cookie", cookie);
  const cors = gateway.corsHeaders({ host: header("host"), origin: header("origin") });
  for (const [name, value] of Object.entries(cors ?? {})) headers.set(name, value);
  const { status, stream } = response;
  if (stream !== undefined) {
    request.signal.addEventListener("abort", () => stream.cancel());
    return new Response(readable(stream), { status, headers });
  }
  const body = typeof response.body === "string" ? response.body : new Uint8Array(response.body);
  // Some statuses may have no body, not even an empty one.
  return new Response(body.length === 0 ? null : body, { status, headers });
}

async function answer(
  gateway: Gateway,
  request: Request,
  url: URL,
  header: (name: string) => string | undefined,
): Promise<GatewayResponse> {
  const path = url.pathname + url.search;
  try {
    gateway.admit(accessRequest({ header, method: request.method, url: path }));
    const message: GatewayRequest = {
      method: request.method,
      url: path,
      header,
      body: await readBody(gateway.bodies, request),
      onGone: (listener) => {
        if (request.signal.aborted) listener();
        else request.signal.addEventListener("abort", listener, { once: true });
      },
      toRequest: () => new Request(request.url, { method: request.method, headers: request.headers }),
    };
    return await new Promise((resolve) => gateway.http(message, resolve));
  } catch (cause) {
    return gateway.refusal(cause, safeEncoding(header("content-type")));
  }
}

function readable(source: ByteSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        const bytes = await source.read();
        if (bytes === undefined) controller.close();
        else controller.enqueue(new Uint8Array(bytes));
      },
      cancel: () => source.cancel(),
    },
    { highWaterMark: 0 },
  );
}

/** A request of an actor's own HTTP: a Response, or the gateway's refusal. */
async function admitted(
  gateway: Gateway,
  request: Request,
  url: URL,
  header: (name: string) => string | undefined,
): Promise<Response | GatewayResponse> {
  try {
    gateway.admit(accessRequest({ header, method: request.method, url: url.pathname + url.search }));
    checkUnread(request);
  } catch (cause) {
    return gateway.refusal(cause, "json");
  }
  return await exchangeFetch(gateway, request, { header });
}

/** Somebody else reads, or has read, the body. Throws `gateway.bad_request`. */
function checkUnread({ body, bodyUsed }: Request): void {
  if (bodyUsed || body?.locked === true) throw serverErrors.badRequest("The request's body was read already");
}

/** Reads at most the limit: a longer body is left unread. Throws `request.body_broken`. */
async function readBody(budget: BodyBudget, request: Request): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  checkUnread(request);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body) {
      if (length + chunk.byteLength > limits.httpBodyBytes)
        throw serverErrors.bodyTooLarge(limits.httpBodyBytes);
      budget.take(chunk.byteLength);
      length += chunk.byteLength;
      chunks.push(chunk);
    }
    return joined(chunks, length);
  } catch (cause) {
    throw TroupeError.is(cause) ? cause : requestErrors.bodyBroken(cause);
  } finally {
    budget.give(length);
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}

function safeEncoding(contentType: string | undefined): "json" | "cbor" {
  try {
    return encodingOf(contentType);
  } catch {
    return "json";
  }
}
