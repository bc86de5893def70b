/**
 * The client protocol over HTTP, and its connections over WebSocket: the transport that a client has by default.
 */
import type { TroupeError } from "@troupe/base";
import {
  type Bodies,
  type BodyKind,
  decodeBody,
  type Encoding,
  encodeBody,
  fromWireError,
  IDEMPOTENCY_HEADER,
  limits,
  PROTOCOL_HEADER,
  PROTOCOL_VERSION,
  type SendOutcome,
  STREAM_TYPES,
  SUBPROTOCOL,
  TIMEOUT_HEADER,
  wireTimeoutMs,
} from "@troupe/protocol";
import type { ClientEnv, FetchAnswer, FetchPort } from "../env.ts";
import { clientErrors } from "../errors.ts";
import { checkSize } from "../message-size.ts";
import { sendOutcome } from "../queue-send.ts";
import { ResultStream } from "../stream/result-stream.ts";
import type {
  ActorTarget,
  ClientLink,
  ClientTransport,
  QueueSend,
  TransportCallOptions,
  TransportConnectOptions,
} from "../transport.ts";
import { actorUrl, parseEndpoint, socketUrl } from "./address.ts";
import { dial, type SocketPlace } from "./dial.ts";
import { HttpItems } from "./http-items.ts";
import { HttpRaw } from "./http-raw.ts";
import { isNotSent } from "./not-sent.ts";
import { tokenSubprotocol } from "./token.ts";
import { type TraceparentSource, traceHeaders } from "./trace-headers.ts";

/** What the HTTP transport needs. */
export interface HttpTransportOptions {
  readonly env: Pick<ClientEnv, "fetch" | "streamingFetch" | "WebSocket">;
  readonly endpoint: string;
  readonly encoding: Encoding;
  readonly token: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly traceparent?: TraceparentSource | undefined;
  /** The name of a namespace; nothing for the default one. */
  readonly namespace?: string | undefined;
}

type AnswerKind = "actionAnswer" | "resolveAnswer";
type Answer<K extends AnswerKind> = Exclude<Bodies[K], { readonly error: unknown }>;

interface Request<K extends AnswerKind> {
  readonly url: string;
  /** Default: POST. */
  readonly method?: "PUT";
  /** For messages. */
  readonly what: string;
  readonly body: Bodies[BodyKind];
  readonly answer: K;
  readonly signal: AbortSignal | undefined;
  /** Headers of this request alone. */
  readonly terms?: Readonly<Record<string, string>>;
}

/** Speaks HTTP for calls and WebSocket for connections. */
export class HttpTransport implements ClientTransport {
  readonly losesAnswers = true;
  readonly attemptsAtOnce = limits.clientCallsAtOnce;
  readonly raw: HttpRaw;
  readonly #env: Pick<ClientEnv, "fetch" | "streamingFetch" | "WebSocket">;
  readonly #base: string;
  readonly #namespace: string | undefined;
  readonly #encoding: Encoding;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #subprotocols: readonly string[];
  readonly #traceparent: TraceparentSource | undefined;

  /** Throws `client.bad_endpoint`. */
  constructor(options: HttpTransportOptions) {
    this.#env = options.env;
    this.#base = parseEndpoint(options.endpoint);
    const { env, token, headers, traceparent, namespace } = options;
    this.#namespace = namespace;
    this.raw = new HttpRaw({ env, base: this.#base, token, headers, traceparent, namespace });
    this.#traceparent = traceparent;
    this.#encoding = options.encoding;
    this.#headers = {
      ...options.headers,
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      "content-type": contentType(options.encoding),
      [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
    };
    this.#subprotocols =
      options.token === undefined ? [SUBPROTOCOL] : [SUBPROTOCOL, tokenSubprotocol(options.token)];
  }

  async action(
    target: ActorTarget,
    name: string,
    args: readonly unknown[],
    options: TransportCallOptions,
  ): Promise<unknown> {
    const request: Request<"actionAnswer"> = {
      url: this.#url(target, `action/${encodeURIComponent(name)}`),
      what: `Action "${name}"`,
      body: { args, ...bodyOf(target, options), ...ticketOf(options) },
      answer: "actionAnswer",
      signal: options.signal,
      terms: termHeaders(options),
    };
    const response = await this.#ask(request);
    const type = response.headers.get("content-type") ?? "";
    if (type !== STREAM_TYPES[this.#encoding]) return (await this.#read(request, response)).output;
    if (!response.body) throw clientErrors.unsupportedPlatform("body of a fetch's answer");
    return new ResultStream(new HttpItems(response.body, this.#encoding, request.what));
  }

  async send(target: ActorTarget, message: QueueSend, options: TransportCallOptions): Promise<SendOutcome> {
    const { name, ...send } = message;
    const what = `The message for queue "${name}"`;
    const answer = await this.#post({
      url: this.#url(target, `queue/${encodeURIComponent(name)}`),
      what,
      body: { ...send, ...bodyOf(target, options) },
      answer: "actionAnswer",
      signal: options.signal,
    });
    return sendOutcome(answer.output) ?? Promise.reject(clientErrors.outcomeUnknown(what));
  }

  async resolve(target: ActorTarget, options: TransportCallOptions): Promise<string> {
    const create = target.kind === "key" && target.method === "create";
    const answer = await this.#post({
      url: this.#url(target, create ? "create" : "resolve"),
      what: create ? `The creation of actor "${target.name}"` : `The search for actor "${target.name}"`,
      body: bodyOf(target, options),
      answer: "resolveAnswer",
      signal: options.signal,
    });
    return answer.actorId;
  }

  async reload(target: ActorTarget, options: TransportCallOptions): Promise<void> {
    await this.#post({
      method: "PUT",
      url: this.#url(target, "reload"),
      what: `The reload of actor "${target.name}"`,
      body: {},
      answer: "actionAnswer",
      signal: options.signal,
    });
  }

  connect(target: ActorTarget, options: TransportConnectOptions): Promise<ClientLink> {
    if (this.#env.WebSocket === undefined)
      return Promise.reject(clientErrors.unsupportedPlatform("WebSocket"));
    const url = this.#url(target, "connect");
    const { authorization } = this.#headers;
    const place: SocketPlace = {
      WebSocket: this.#env.WebSocket,
      fetch: this.#env.streamingFetch,
      url,
      socketUrl: socketUrl(url),
      subprotocols: this.#subprotocols,
      headers: authorization === undefined ? {} : { authorization },
    };
    return dial(place, options.signal);
  }

  #url(target: ActorTarget, route: string): string {
    return actorUrl(this.#base, target, route, this.#namespace);
  }

  async #post<K extends AnswerKind>(request: Request<K>): Promise<Answer<K>> {
    return await this.#read(request, await this.#ask(request));
  }

  async #ask<K extends AnswerKind>(request: Request<K>): Promise<FetchAnswer> {
    const fetch = this.#env.fetch;
    if (fetch === undefined) throw clientErrors.unsupportedPlatform("fetch");
    const body = encodeBody(request.body, this.#encoding);
    checkSize(body, limits.httpBodyBytes);
    return await this.#send(fetch, request, body);
  }

  async #read<K extends AnswerKind>(request: Request<K>, response: FetchAnswer): Promise<Answer<K>> {
    const bytes = await readBody(response, request.what);
    const answer = this.#decode(request, response, bytes);
    if (isFailure(answer)) throw fromWireError(answer.error);
    return answer as Answer<K>;
  }

  async #send<K extends AnswerKind>(
    fetch: FetchPort,
    request: Request<K>,
    body: string | Uint8Array,
  ): Promise<FetchAnswer> {
    const signal = request.signal === undefined ? {} : { signal: request.signal };
    try {
      const plain = request.terms === undefined && this.#traceparent === undefined;
      const headers = plain
        ? this.#headers
        : { ...this.#headers, ...request.terms, ...traceHeaders(this.#traceparent) };
      return await fetch(request.url, { method: request.method ?? "POST", headers, body, ...signal });
    } catch (error) {
      if (isNotSent(error, request.url)) throw clientErrors.notSent(this.#base, error);
      throw clientErrors.outcomeUnknown(request.what, error);
    }
  }

  #decode<K extends AnswerKind>(request: Request<K>, response: FetchAnswer, bytes: Uint8Array): Bodies[K] {
    const type = response.headers.get("content-type") ?? "";
    const ours = type.split(";", 1)[0]?.trim().toLowerCase() === contentType(this.#encoding);
    try {
      if (ours) return decodeBody(request.answer, bytes, this.#encoding);
    } catch (error) {
      throw foreignAnswer(request.what, this.#base, response.status, error);
    }
    throw foreignAnswer(request.what, this.#base, response.status, undefined);
  }
}

function contentType(encoding: Encoding): string {
  return `application/${encoding}`;
}

function bodyOf(target: ActorTarget, options: TransportCallOptions): { params?: unknown; input?: unknown } {
  return {
    ...(options.params === undefined ? {} : { params: options.params }),
    ...(target.kind === "id" || target.input === undefined ? {} : { input: target.input }),
  };
}

function ticketOf({ ticket }: TransportCallOptions): { ticket?: string } {
  return ticket === undefined ? {} : { ticket };
}

function termHeaders({ timeoutMs, idempotencyKey }: TransportCallOptions): Readonly<Record<string, string>> {
  return {
    ...(timeoutMs === undefined ? {} : { [TIMEOUT_HEADER]: String(wireTimeoutMs(timeoutMs)) }),
    ...(idempotencyKey === undefined ? {} : { [IDEMPOTENCY_HEADER]: idempotencyKey }),
  };
}

function isFailure<K extends AnswerKind>(
  answer: Bodies[K],
): answer is Bodies[K] & Extract<Bodies[AnswerKind], { readonly error: unknown }> {
  return "error" in answer;
}

async function readBody(response: FetchAnswer, what: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw clientErrors.outcomeUnknown(what, error);
  }
}

/**
 * An answer that no gateway of ours gave. A 4xx is a server that refused the request; behind anything else a gateway
 * may have acted: a proxy says 502 also when the gateway broke off after the action.
 */
function foreignAnswer(what: string, where: string, status: number, cause: unknown): TroupeError {
  const foreign = clientErrors.badResponse(where, status, cause);
  return status >= 400 && status < 500 ? foreign : clientErrors.outcomeUnknown(what, foreign);
}
