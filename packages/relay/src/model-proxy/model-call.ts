/**
 * Model call: a request to a provider, as a managed call of the relay.
 *
 * Guardrails and request intercepts see headers and content before a byte goes out. If none of them changed the content,
 * the provider gets the very bytes that came. One that can't be read is refused where anything is registered that would have to
 * see it: a provider might read it all the same. The provider's bytes go to the client while they come; the call ends, for
 * the trace, behind the last of them.
 *
 * A long request goes to the provider while it comes as well, where nothing is registered that would have to see it first. Its events
 * tell of it by its size, also where it was read: each of them, and each line of a trace, would take its length several times over.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { limits } from "@troupe/protocol";
import type { LlmContext } from "../calls/stream-chain.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import type { Relay } from "../relay.ts";
import { sendJson } from "./answer.ts";
import { eventsOfAnswer } from "./answer-events.ts";
import { type TakenBody, takeBody } from "./body.ts";
import { proxyErrors } from "./errors.ts";
import { EventStream } from "./event-stream.ts";
import { asRecord, passedOn, withChanges } from "./headers.ts";
import { OVERHEAD, Overhead } from "./overhead.ts";
import { type AnswerHead, pass } from "./passage.ts";
import type { Provider } from "./provider.ts";
import { hasEvents, providerEvents } from "./provider-events.ts";
import { pathOf } from "./request-path.ts";
import { ResponseReader } from "./response-reader.ts";
import { agentSessionOf, sessionMetadata } from "./session.ts";
import type { Upstream, UpstreamRequest } from "./upstream.ts";
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
  /** True when no middleware sees requests: one may go on unread. Default: all are read, or refused. */
  readonly passesUnread?: () => boolean;
}

const bodyLimits = { held: limits.gatewayHeldBodyBytes, most: limits.gatewayModelBodyBytes };

/** Answers `request`; `overhead` began with it. Throws what the relay and the upstream throw, when no answer has begun. */
export async function callModel(
  route: ModelRoute,
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  overhead = new Overhead(),
): Promise<void> {
  if (route.upstreams.of(provider.family) === undefined) throw proxyErrors.noUpstream();
  const signal = leaving(response);
  const passesUnread = (): boolean => route.passesUnread?.() === true;
  const body = await takeBody(request, bodyLimits, passesUnread);
  const { content, longBytes } = body;
  const session = sessionMetadata(route.session, agentSessionOf(request.headers));
  // Asked now: who guards may have come while the body did.
  if (!body.isRead && !passesUnread()) {
    const refused = proxyErrors.bodyUnread();
    route.relay.event("gateway.body_unread", {
      data: { provider: provider.name, rejected: true, rejection_reason: refused.message },
      category: "llm",
      metadata: session,
    });
    throw refused;
  }
  const exchange = new Exchange({ route, provider, request, response, body, overhead });
  const given: LlmRequest = { headers: exchange.headers, content };
  const answer = await route.relay.llmCallExecute(
    provider.name,
    given,
    (rewritten, context) => exchange.forward(rewritten, context),
    {
      signal,
      eventCodec: provider.eventCodec,
      ...(longBytes === undefined ? {} : { requestInEvents: "headers" }),
      ...modelNameOf(pathOf(request.url ?? "/"), content),
      metadata: {
        ...session,
        ...(longBytes === undefined ? {} : { long_request_bytes: longBytes }),
      },
    },
  );
  // A middleware answered in the provider's place.
  if (exchange.begun) return;
  response.setHeader(OVERHEAD, overhead.ms().toFixed(2));
  await sendAnswer(provider, request, response, { content, answer });
}

/** A middleware's own answer, in the shape that its client asked for. */
async function sendAnswer(
  { name }: Provider,
  { url = "/" }: IncomingMessage,
  response: ServerResponse,
  { content, answer }: { readonly content: unknown; readonly answer: unknown },
): Promise<void> {
  if (!asksForStream(url, content)) return sendJson(response, 200, answer);
  // Gemini's streams are a list where nobody asks for events.
  if (isListed(url)) return sendJson(response, 200, [answer]);
  const stream = new EventStream({ response, see: () => undefined });
  for (const chunk of eventsOfAnswer(name, answer)) await stream.chunk(chunk);
  await stream.end({ last: name === "openai.chat_completions" });
}

const geminiStream = /:streamGenerateContent(?:\?|$)/i;

function asksForStream(url: string, content: unknown): boolean {
  const said =
    typeof content === "object" && content !== null && "stream" in content && content.stream === true;
  return said || geminiStream.test(url);
}

function isListed(url: string): boolean {
  return geminiStream.test(url) && !/[?&]alt=sse(?:&|$)/i.test(url);
}

/** A signal that fires when the client goes away before it has its answer. */
export function leaving(response: ServerResponse): AbortSignal {
  const abort = new AbortController();
  // A response that was sent whole closes too.
  response.on("close", () => response.writableFinished || abort.abort());
  return abort.signal;
}

interface ExchangeParts {
  readonly route: ModelRoute;
  readonly provider: Provider;
  readonly overhead: Overhead;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: TakenBody;
}

/** Said anew for each connection, and what the gateway has answered itself. */
const ofRequest: ReadonlySet<string> = new Set(["host", "content-length", "expect"]);
/** Of the bytes that came, and not of those that are written anew. */
const ofBytes: ReadonlySet<string> = new Set([...ofRequest, "content-encoding"]);
/** Of a provider's bytes, and not of events that are written here. */
const ofPlainEvents: ReadonlySet<string> = new Set(["content-encoding", "content-length"]);
/** The relay's is of the call's scope; an agent's own goes on as it came. */
const traces: ReadonlySet<string> = new Set(["traceparent"]);

/** One request and its answer. */
class Exchange {
  readonly headers: Readonly<Record<string, string>>;
  readonly #parts: ExchangeParts;
  #reader: ResponseReader | undefined = undefined;
  #status = 0;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.headers = asRecord(parts.request.rawHeaders);
  }

  /** True when bytes of an answer may have gone to the client. */
  get begun(): boolean {
    return this.#reader !== undefined;
  }

  /** Sends the request on and the answer back; gives what the trace tells of it. */
  async forward(rewritten: LlmRequest, { signal, throughIntercepts }: LlmContext) {
    if (this.begun) throw proxyErrors.answeredTwice();
    const { request, response } = this.#parts;
    if (throughIntercepts !== undefined && asksForStream(request.url ?? "/", rewritten.content))
      return await this.#intercepted(rewritten, throughIntercepts);
    const { upstream, sent } = this.#sent(rewritten);
    await pass(upstream, sent, {
      response,
      signal,
      head: (head) => this.#begin(head),
      see: (chunk) => this.#reader?.read(chunk),
    });
    return { status: this.#status, ...(await this.#reader?.told()) };
  }

  /** The same, where intercepts go around the chunks of a stream: what the client gets is written here. */
  async #intercepted(rewritten: LlmRequest, through: NonNullable<LlmContext["throughIntercepts"]>) {
    const { response } = this.#parts;
    const stream = new EventStream({ response, see: (bytes) => this.#reader?.read(bytes) });
    let last = false;
    const begin = (head: AnswerHead): void => {
      // Of several answers the first one's head counts.
      if (this.begun) return;
      const headers = this.#begin(head, hasEvents(head) ? ofPlainEvents : undefined);
      stream.begin(head.status, headers);
    };
    try {
      const chunks = await through(rewritten, (asked, { signal }) => {
        const { upstream, sent } = this.#sent(asked);
        return providerEvents(upstream, sent, {
          signal,
          head: begin,
          bytes: (bytes) => stream.bytes(bytes),
          last: () => (last = true),
        });
      });
      for await (const chunk of chunks) {
        if (!this.begun) this.#beginOwn();
        await stream.chunk(chunk);
      }
      if (!this.begun) this.#beginOwn();
      await stream.end({ last });
    } catch (error) {
      if (this.begun) response.destroy();
      throw error;
    }
    return { status: this.#status || 200, ...(await this.#reader?.told()) };
  }

  /** An intercept answers by itself. */
  #beginOwn(): void {
    const { response, overhead, provider } = this.#parts;
    this.#reader = new ResponseReader({ "content-type": "text/event-stream" }, provider.codec);
    response.setHeader(OVERHEAD, overhead.ms().toFixed(2));
  }

  #sent(rewritten: LlmRequest): { readonly upstream: Upstream; readonly sent: UpstreamRequest } {
    const { route, provider, overhead, request } = this.#parts;
    const upstream = route.upstreams.of(provider.family);
    if (upstream === undefined) throw proxyErrors.noUpstream();
    const { bytes, length, without } = this.#bodyOf(rewritten);
    const raw = withChanges(request.rawHeaders, this.headers, rewritten.headers, traces);
    const headers = route.upstreams.headersFor(provider.family, passedOn(raw, without));
    overhead.left();
    const sent = {
      method: request.method ?? "POST",
      path: route.upstreams.addressFor(provider.family, request.url ?? "/"),
      // Of what is still to come none may have been said.
      headers: length === undefined ? headers : [...headers, "Content-Length", `${length}`],
      body: bytes,
    };
    return { upstream, sent };
  }

  /** The headers that the client gets. */
  #begin({ status, headers, rawHeaders }: AnswerHead, without?: ReadonlySet<string>): string[] {
    if (this.begun) throw proxyErrors.answeredTwice();
    const { route, overhead, provider } = this.#parts;
    overhead.cameBack();
    const heldUp = overhead.ms();
    route.metrics.held(heldUp);
    this.#status = status;
    const seen = without === undefined ? headers : { "content-type": headers["content-type"] };
    this.#reader = new ResponseReader(seen, provider.codec);
    return [...passedOn(rawHeaders, without), OVERHEAD, heldUp.toFixed(2)];
  }

  #bodyOf({ content }: LlmRequest): SentBody {
    const { body } = this.#parts;
    if (content === body.content) return { bytes: body.bytes(), length: body.length, without: ofRequest };
    const bytes = Buffer.from(JSON.stringify(content));
    return { bytes, length: bytes.length, without: ofBytes };
  }
}

/** What a provider gets for a body. */
interface SentBody {
  readonly bytes: Buffer | Readable;
  readonly length: number | undefined;
  /** The headers that aren't true of it. */
  readonly without: ReadonlySet<string>;
}

/** Gemini's and Vertex' is in front of the verb, with a version perhaps. */
const beforeVerb = /\/([^/:@]+)[^/:]*:\w+$/;
/** Azure's is the caller's own word for it. */
const deployment = /\/deployments\/([^/]+)\//i;

function modelNameOf(path: string, content: unknown): { readonly modelName?: string } {
  const inBody = typeof content === "object" && content !== null && "model" in content && content.model;
  const name = beforeVerb.exec(path)?.[1] ?? (inBody || deployment.exec(path)?.[1]);
  return typeof name === "string" ? { modelName: name } : {};
}
