/**
 * A host that is a function of a platform: the engine asks for it with `POST …/start`, the answer lasts as long as the host, and
 * the host connects to the engine by itself.
 *
 *   asked ──token, order──▶ running ──its lifespan is over, or nobody listens to the answer──▶ draining ──▶ the answer ends
 *
 * Whoever asks shows the token that the host will show to the engine. Where the engine is, is the program's own word: a request
 * that could say so would have the program's actors for itself.
 */

import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { gatewayErrors } from "../errors.ts";
import { errorResponse } from "../gateway/http-message.ts";
import { remoteErrors } from "./errors.ts";
import type { HostClient } from "./host-client.ts";
import { lasting } from "./lasting.ts";

/** What an engine orders. */
export interface StartOrder {
  readonly pool: string;
  readonly namespace: string;
  readonly lifespanMs: number;
}

/** What answers a start. */
export interface ServerlessHostParts {
  readonly env: Env;
  /** What the engine shows, and the host shows to the engine. */
  readonly token: string;
  readonly start: (order: StartOrder) => HostClient;
}

/** Answers a request for a host. Never rejects: `gateway.not_found`, `gateway.unauthorized`, `host.bad_start` are answers. */
export async function answerStart(request: Request, parts: ServerlessHostParts): Promise<Response> {
  try {
    const { pathname } = new URL(request.url);
    if (!pathname.endsWith("/start")) throw gatewayErrors.notFound(pathname);
    if (request.method !== "POST") throw gatewayErrors.methodNotAllowed(request.method);
    checkToken(request, parts);
    const order = await readOrder(request);
    const client = parts.start(order);
    const { timers } = parts.env;
    const lifespan = timers.set(() => void client.drain(limits.hostDrainMs), order.lifespanMs);
    void client.over.then(() => timers.clear(lifespan));
    return lasting(client, parts.env);
  } catch (cause) {
    const { status, headers, body } = errorResponse(cause, "json", parts.env.ids.random());
    return new Response(String(body), { status, headers });
  }
}

function checkToken(request: Request, { env, token }: ServerlessHostParts): void {
  const utf8 = new TextEncoder();
  const shown = request.headers.get("authorization") ?? "";
  if (token === "" || !env.crypto.timingSafeEqual(utf8.encode(`Bearer ${token}`), utf8.encode(shown)))
    throw gatewayErrors.unauthorized();
}

/** Throws `host.bad_start`. */
async function readOrder(request: Request): Promise<StartOrder> {
  const text = await request.text();
  if (text.length > limits.startOrderBytes) throw remoteErrors.badStart("it is too long");
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = { ...Object(JSON.parse(text)) };
  } catch {
    throw remoteErrors.badStart("it isn't JSON");
  }
  const { pool, namespace, lifespanMs } = fields;
  if (typeof pool !== "string" || typeof namespace !== "string")
    throw remoteErrors.badStart("pool and namespace are texts");
  if (typeof lifespanMs !== "number" || !(lifespanMs >= 1_000 && lifespanMs <= limits.longestLifespanMs))
    throw remoteErrors.badStart(`lifespanMs is a number from 1000 to ${limits.longestLifespanMs}`);
  return { pool, namespace, lifespanMs };
}
