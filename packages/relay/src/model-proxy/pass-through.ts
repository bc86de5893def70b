/**
 * Pass through: a request that is no model call (lists of models, counts of tokens, files) goes to its provider as it is, and
 * the answer comes back as it is. Nothing of it is read, nothing is kept.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { proxyErrors } from "./errors.ts";
import { passedOn } from "./headers.ts";
import { leaving, type ModelRoute } from "./model-call.ts";
import { OVERHEAD, Overhead, ofGateways } from "./overhead.ts";
import { pass } from "./passage.ts";
import { familyOf } from "./provider.ts";
import { agentSessionOf, sessionMetadata } from "./session.ts";

const ofRequest: ReadonlySet<string> = new Set(["host", "expect"]);

/** Answers `request`. Throws `gateway.not_found` where no provider is configured, and what the upstream throws. */
export async function passThrough(
  { relay, upstreams, metrics, session }: ModelRoute,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const family = familyOf(path, request.headers);
  const upstream = upstreams.of(family);
  if (upstream === undefined) throw proxyErrors.notFound(path);
  const overhead = new Overhead();
  const { method = "GET", url = "/" } = request;
  const headers = upstreams.headersFor(family, passedOn(request.rawHeaders, ofRequest));
  const metadata = sessionMetadata(session, agentSessionOf(request.headers));
  overhead.left();
  await pass(
    upstream,
    { method, path: upstreams.addressFor(family, url), headers, body: hasBody(request) ? request : null },
    {
      response,
      signal: leaving(response),
      head: ({ status, rawHeaders }) => {
        overhead.cameBack();
        relay.event("gateway.passed_through", { data: { method, path, status }, metadata });
        const heldUp = overhead.ms();
        metrics.held(heldUp);
        return [...passedOn(rawHeaders, ofGateways), OVERHEAD, heldUp.toFixed(2)];
      },
    },
  );
}

/** True when bytes come, or may come, behind the head. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}
