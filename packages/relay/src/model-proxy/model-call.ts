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
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { LlmContext } from "../calls/stream-chain.ts";
import { isUnshown } from "../calls/unshown.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import type { Relay } from "../relay.ts";
import { sendJson } from "./answer.ts";
import { eventsOfAnswer } from "./answer-events.ts";
import { AnswerStream, type ChunkFrame } from "./answer-stream.ts";
import { type AskedForm, askedForm } from "./asked-form.ts";
import { type TakenBody, takeBody } from "./body.ts";
import { CameChunks } from "./came-chunks.ts";
import { asJson, proxyErrors } from "./errors.ts";
import { EventFrame, LAST_EVENT } from "./event-frame.ts";
import { exactJson, saysWhat } from "./exact-json.ts";
import { asRecord, passedOn, withChanges } from "./headers.ts";
import { ListFrame } from "./list-frame.ts";
import { OVERHEAD, Overhead, ofGateways } from "./overhead.ts";
import { type AnswerHead, pass } from "./passage.ts";
import type { Provider } from "./provider.ts";
import { providerEvents, type ToldForm } from "./provider-events.ts";
import { repeatedKey } from "./repeated-key.ts";
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

/** Answers `request`; `overhead` began with it. What its provider's answer says went wrong, as the call's own end tells it. Throws what the relay and the upstream throw, when no answer has begun. */
export async function callModel(
  route: ModelRoute,
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  overhead = new Overhead(),
): Promise<string | undefined> {
  if (route.upstreams.of(provider.family) === undefined) throw proxyErrors.noUpstream();
  let exchange: Exchange | undefined;
  const signal = leaving(response, () => exchange?.isCut === true);
  const passesUnread = (): boolean => route.passesUnread?.() === true;
  const body = await takeBody(request, bodyLimits, passesUnread);
  const { content, longBytes } = body;
  const session = sessionMetadata(route.session, agentSessionOf(request.headers));
  // Asked now: who guards may have come while the body did.
  const refused = passesUnread() ? undefined : unseen(body);
  if (refused !== undefined) {
    route.relay.event("gateway.body_unread", {
      data: { provider: provider.name, rejected: true, rejection_reason: refused.message },
      category: "llm",
      metadata: session,
    });
    throw refused;
  }
  const exchanged = new Exchange({ route, provider, request, response, body, overhead });
  exchange = exchanged;
  const given: LlmRequest = { headers: exchanged.headers, content };
  const answering = route.relay.llmCallExecute(
    provider.name,
    given,
    (rewritten, context) => exchanged.forward(rewritten, context),
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
  const answer = await answering.catch((error: unknown) => {
    throw asClients(error);
  });
  const failure = provider.eventCodec.failureOf?.(answer);
  if (exchanged.begun) return failure;
  // A middleware answered in the provider's place.
  response.setHeader(OVERHEAD, overhead.ms().toFixed(2));
  await sendAnswer(provider, request, response, { content, answer });
  return failure;
}

/** Middleware that failed since it can't be shown such a request hasn't failed: its client would try again. */
function asClients(error: unknown): unknown {
  const cause = TroupeError.is(error) && error.code === "middleware_failed" ? error.cause : error;
  return isUnshown(cause) ? proxyErrors.bodyUnshown(cause, error) : error;
}

/** Why middleware wouldn't see all that a provider may read; undefined: it does. */
function unseen({ isRead, text }: TakenBody): TroupeError | undefined {
  if (!isRead) return proxyErrors.bodyUnread();
  const key = repeatedKey(text() ?? "");
  return key === undefined ? undefined : proxyErrors.keyRepeated(key);
}

/** A middleware's own answer, in the shape that its client asked for. */
async function sendAnswer(
  { name }: Provider,
  { url = "/" }: IncomingMessage,
  response: ServerResponse,
  { content, answer }: { readonly content: unknown; readonly answer: unknown },
): Promise<void> {
  asJson("the answer", () => JSON.stringify(answer).length);
  const asked = askedForm(url, content);
  if (asked === "piece") return sendJson(response, 200, answer);
  if (asked === "list") return sendJson(response, 200, [answer]);
  const frame = new EventFrame(name === "openai.chat_completions" ? LAST_EVENT : "");
  const stream = new AnswerStream({ response, see: () => undefined, frame });
  for (const chunk of eventsOfAnswer(name, answer)) await stream.chunk(chunk);
  await stream.end(frame.last);
}

function frameOf(form: AskedForm | ToldForm): ChunkFrame {
  return form === "list" ? new ListFrame() : new EventFrame();
}

/** A signal that fires when the client goes away before it has its answer. `isCut`: it didn't, it was cut off here, and whoever did that says why. */
export function leaving(response: ServerResponse, isCut = (): boolean => false): AbortSignal {
  const abort = new AbortController();
  // A response that was sent whole closes too.
  response.on("close", () => response.writableFinished || isCut() || abort.abort());
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
/** Of a provider's bytes, and not of chunks that are written here. */
const ofPlainChunks: ReadonlySet<string> = new Set(["content-encoding", "content-length", ...ofGateways]);
/** The relay's is of the call's scope; an agent's own goes on as it came. */
const traces: ReadonlySet<string> = new Set(["traceparent"]);

/** To the provider, around whose chunks something may go. */
type Through = (
  request: LlmRequest,
  fn: (request: LlmRequest, context: { readonly signal: AbortSignal }) => AsyncIterable<unknown>,
) => Promise<AsyncIterable<unknown>>;

/** One request and its answer. */
class Exchange {
  readonly headers: Readonly<Record<string, string>>;
  readonly #parts: ExchangeParts;
  #reader: ResponseReader | undefined = undefined;
  #status = 0;
  /** True when its client was cut off, for what went wrong here or at the provider. */
  isCut = false;

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
    if (throughIntercepts !== undefined) {
      const asked = askedForm(request.url ?? "/", rewritten.content);
      // One piece has no chunks that they could go around; whether it is one is seen all the same.
      const through: Through =
        asked === "piece" ? async (given, fn) => fn(given, { signal }) : throughIntercepts;
      return await this.#seen(rewritten, through, asked);
    }
    const { upstream, sent } = this.#sent(rewritten);
    await pass(upstream, sent, {
      response,
      signal,
      head: (head) => this.#begin(head),
      cut: () => (this.isCut = true),
      see: (chunk) => this.#reader?.read(chunk),
    });
    return { status: this.#status, ...(await this.#reader?.told()) };
  }

  /** The same, where intercepts go around the chunks of streams: what the client gets is written here. */
  async #seen(rewritten: LlmRequest, through: Through, asked: AskedForm) {
    const { response } = this.#parts;
    const came = new CameChunks();
    const frame = frameOf(asked);
    const stream = new AnswerStream({ response, came, frame, see: (bytes) => this.#reader?.read(bytes) });
    let last: string | undefined;
    let isAsked = false;
    const begin = (head: AnswerHead, form: ToldForm): void => {
      // Of several answers the first one's head counts.
      if (this.begun) return;
      const headers = this.#begin(head, form === "piece" ? ofGateways : ofPlainChunks);
      stream.begin(head.status, headers, frameOf(form));
    };
    try {
      const chunks = await through(rewritten, (changed, { signal }) => {
        const { upstream, sent } = this.#sent(changed);
        isAsked = true;
        return providerEvents(upstream, sent, {
          signal,
          asked,
          head: begin,
          came: (chunk, how) => came.add(chunk, how),
          bytes: (bytes) => stream.bytes(bytes),
          aside: (text) => stream.bytes(Buffer.from(text)),
          last: (text) => (last = text),
        });
      });
      for await (const chunk of chunks) {
        if (!this.begun) last = this.#beginOwn(frame);
        await stream.chunk(chunk);
      }
      if (!this.begun) last = this.#beginOwn(frame);
      await stream.end(last);
    } catch (error) {
      this.isCut = response.headersSent;
      if (this.isCut) stream.cut();
      throw isAsked && isUnshown(error) ? proxyErrors.chunkUnshown(error) : error;
    }
    return { status: this.#status || 200, ...(await this.#reader?.told()) };
  }

  /** An intercept answers by itself; what ends its stream. */
  #beginOwn({ contentType, last }: ChunkFrame): string {
    const { response, overhead, provider } = this.#parts;
    this.#reader = new ResponseReader({ "content-type": contentType }, provider.codec);
    response.setHeader(OVERHEAD, overhead.ms().toFixed(2));
    return last;
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
  #begin({ status, headers, rawHeaders }: AnswerHead, without = ofGateways): string[] {
    if (this.begun) throw proxyErrors.answeredTwice();
    const { route, overhead, provider } = this.#parts;
    overhead.cameBack();
    const heldUp = overhead.ms();
    route.metrics.held(heldUp);
    this.#status = status;
    const seen = without === ofGateways ? headers : { "content-type": headers["content-type"] };
    this.#reader = new ResponseReader(seen, provider.codec);
    return [...passedOn(rawHeaders, without), OVERHEAD, heldUp.toFixed(2)];
  }

  #bodyOf({ content }: LlmRequest): SentBody {
    const { body } = this.#parts;
    if (content === body.content) return { bytes: body.bytes(), length: body.length, without: ofRequest };
    return asJson("the request", () => this.#written(content));
  }

  #written(content: unknown): SentBody {
    const { body } = this.#parts;
    const text = body.text();
    // An intercept in another process gives a copy.
    if (text !== undefined && saysWhat(content, text))
      return { bytes: body.bytes(), length: body.length, without: ofRequest };
    const bytes = Buffer.from(text === undefined ? JSON.stringify(content) : exactJson(content, text));
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
