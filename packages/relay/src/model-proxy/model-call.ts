/**
 * Model call: a request to a provider, as a managed call of the relay.
 *
 * Guardrails and request intercepts see headers and content before a byte goes out. If none of them changed the content,
 * the provider gets the very bytes that came. The provider's bytes go to the client while they come; the call ends, for
 * the trace, behind the last of them.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { limits } from "@troupe/protocol";
import type { LlmCodec } from "../calls/llm-codec.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import type { Relay } from "../relay.ts";
import { sendJson } from "./answer.ts";
import { contentOf, readBody } from "./body.ts";
import { proxyErrors } from "./errors.ts";
import { asRecord, passedOn, withChanges } from "./headers.ts";
import { OVERHEAD, Overhead } from "./overhead.ts";
import { passOn } from "./pass-on.ts";
import type { Provider } from "./provider.ts";
import { ResponseReader } from "./response-reader.ts";
import { agentSessionOf, sessionMetadata } from "./session.ts";
import type { Upstream } from "./upstream.ts";
import type { Upstreams } from "./upstreams.ts";

/** Under whose middleware model calls are made. */
export type ModelCaller = Pick<Relay, "llmCallExecute" | "event">;

/** What model calls go through. */
export interface ModelRoute {
  readonly relay: ModelCaller;
  readonly upstreams: Upstreams;
  /** Is told how long each request was held up here. */
  readonly metrics: { held(ms: number): void };
  /** Joins all that one agent does, in the metadata of its calls. */
  readonly session: string | undefined;
}

/** Answers `request`. Throws what the relay and the upstream throw, when no answer has begun. */
export async function callModel(
  { relay, upstreams, metrics, session }: ModelRoute,
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const upstream = upstreams.of(provider.family);
  if (upstream === undefined) throw proxyErrors.noUpstream();
  const overhead = new Overhead();
  const abort = new AbortController();
  // A response that was sent whole closes too.
  response.once("close", () => response.writableFinished || abort.abort());
  const body = await readBody(request, limits.gatewayModelBodyBytes);
  const content = contentOf(body, request.headers["content-encoding"]);
  const exchange = new Exchange({
    upstreams,
    metrics,
    upstream,
    provider,
    request,
    response,
    body,
    content,
    overhead,
  });
  const given: LlmRequest = { headers: exchange.headers, content };
  const answer = await relay.llmCallExecute(
    provider.name,
    given,
    (rewritten, { signal }) => exchange.forward(rewritten, signal),
    {
      signal: abort.signal,
      eventCodec: forEvents(provider),
      ...modelNameOf(provider, request.url ?? "", content),
      metadata: sessionMetadata(session, agentSessionOf(request.headers)),
    },
  );
  // A middleware answered in the provider's place.
  if (!exchange.begun) sendJson(response, 200, answer);
}

interface ExchangeParts {
  readonly upstreams: Upstreams;
  readonly metrics: ModelRoute["metrics"];
  readonly upstream: Upstream;
  readonly provider: Provider;
  readonly overhead: Overhead;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly content: unknown;
}

/** One request and its answer. */
class Exchange {
  readonly headers: Readonly<Record<string, string>>;
  readonly #parts: ExchangeParts;
  #begun = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.headers = asRecord(parts.request.rawHeaders);
  }

  /** True when bytes of an answer may have gone to the client. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Sends the request on and the answer back; gives what the trace tells of it. */
  async forward(rewritten: LlmRequest, signal: AbortSignal) {
    if (this.#begun) throw proxyErrors.answeredTwice();
    const { upstreams, metrics, upstream, provider, overhead, request, response } = this.#parts;
    const body = this.#bodyOf(rewritten);
    const { traceparent: _ours, ...now } = rewritten.headers;
    const { traceparent: _theirs, ...given } = this.headers;
    const changed = withChanges(request.rawHeaders, given, now);
    const headers = upstreams.headersFor(provider.family, passedOn(changed, ["host", "content-length"]));
    const answer = await overhead.elsewhere(() =>
      upstream.send({
        method: request.method ?? "POST",
        path: request.url ?? "/",
        headers: [...headers, "Content-Length", `${body.byteLength}`],
        body,
        signal,
      }),
    );
    this.#begun = true;
    const { statusCode: status = 502, statusMessage, rawHeaders } = answer;
    const heldUp = overhead.ms();
    metrics.held(heldUp);
    response.writeHead(status, statusMessage, [...passedOn(rawHeaders), OVERHEAD, heldUp.toFixed(2)]);
    const reader = new ResponseReader(answer.headers, provider.codec);
    await passOn(answer, response, { signal, see: (chunk) => reader.read(chunk) });
    return { status, ...(await reader.told()) };
  }

  #bodyOf(rewritten: LlmRequest): Uint8Array {
    const { body, content } = this.#parts;
    return rewritten.content === content ? body : Buffer.from(JSON.stringify(rewritten.content));
  }
}

/** Middleware sees and changes what the agent sent; events say it in the words of all providers too. */
function forEvents({ codec }: Provider): LlmCodec {
  return {
    decode: (request) => codec.decode(request),
    encode: (_annotated, original) => original,
    // What couldn't be read says nothing, and is no codec's failure.
    decodeResponse: (told) =>
      Object(told).content === null ? {} : codec.decodeResponse(Object(told).content),
  };
}

function modelNameOf({ family }: Provider, url: string, content: unknown): { readonly modelName?: string } {
  // Gemini's is in its path.
  const inPath = family === "gemini" ? /\/models\/([^/:]+):/.exec(url)?.[1] : undefined;
  if (inPath !== undefined) return { modelName: decodeURIComponent(inPath) };
  if (typeof content !== "object" || content === null || !("model" in content)) return {};
  return typeof content.model === "string" ? { modelName: content.model } : {};
}
