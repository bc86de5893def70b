/**
 * Pass through: a request that is no model call (lists of models, counts of tokens, files) goes to its provider as it is, and
 * the answer comes back as it is. Nothing of it is read, nothing is kept.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { proxyErrors } from "./errors.ts";
import { passedOn } from "./headers.ts";
import type { ModelRoute } from "./model-call.ts";
import { OVERHEAD, Overhead } from "./overhead.ts";
import { passOn } from "./pass-on.ts";
import { familyOf } from "./provider.ts";
import { agentSessionOf, sessionMetadata } from "./session.ts";

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
  const abort = new AbortController();
  response.once("close", () => response.writableFinished || abort.abort());
  const { method = "GET", url = "/" } = request;
  const answer = await overhead.elsewhere(() =>
    upstream.send({
      method,
      path: url,
      headers: upstreams.headersFor(family, passedOn(request.rawHeaders, ["host"])),
      body: request,
      signal: abort.signal,
    }),
  );
  const { statusCode: status = 502, statusMessage, rawHeaders } = answer;
  const data = { method, path, status };
  const metadata = sessionMetadata(session, agentSessionOf(request.headers));
  relay.event("gateway.passed_through", { data, metadata });
  const heldUp = overhead.ms();
  metrics.held(heldUp);
  response.writeHead(status, statusMessage, [...passedOn(rawHeaders), OVERHEAD, heldUp.toFixed(2)]);
  await passOn(answer, response, { signal: abort.signal });
}
