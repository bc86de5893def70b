/**
 * An actor's own protocol over HTTP: raw WebSockets, and raw requests.
 */
import { encodeJson, limits, PARAMS_HEADER, PARAMS_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from "@troupe/protocol";
import type { ClientEnv } from "../env.ts";
import { clientErrors } from "../errors.ts";
import { checkSize } from "../message-size.ts";
import type { UniversalWebSocket } from "../raw/universal-web-socket.ts";
import type { ActorTarget, RawFetchOptions, RawSocketOptions, RawTransport } from "../transport.ts";
import { actorBase, rawUrl, socketUrl } from "./address.ts";
import { isNotSent } from "./not-sent.ts";
import { textSubprotocol, tokenSubprotocol } from "./token.ts";
import { type TraceparentSource, traceHeaders } from "./trace-headers.ts";

/** What it needs. */
export interface HttpRawOptions {
  readonly env: Pick<ClientEnv, "WebSocket" | "streamingFetch">;
  /** As `parseEndpoint` gives it. */
  readonly base: string;
  readonly token: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly traceparent?: TraceparentSource | undefined;
  readonly namespace?: string | undefined;
}

/** Opens raw WebSockets, and sends raw requests. */
export class HttpRaw implements RawTransport {
  readonly #options: HttpRawOptions;

  constructor(options: HttpRawOptions) {
    this.#options = options;
  }

  webSocket(target: ActorTarget, { path, protocols, params }: RawSocketOptions): UniversalWebSocket {
    const { env, base, token, namespace } = this.#options;
    if (env.WebSocket === undefined) throw clientErrors.unsupportedPlatform("WebSocket");
    const ours = [...tokenOf(token), ...paramsOf(params)];
    // A server must agree on one that was offered: ours, if the caller has none.
    const offered = ours.length === 0 ? protocols : [...protocols, SUBPROTOCOL, ...ours];
    const socket = new env.WebSocket(socketUrl(rawUrl(base, target, "websocket", path, namespace)), [
      ...offered,
    ]);
    socket.binaryType = "arraybuffer";
    // What a platform calls WebSocket is a standard one; its port names only what connections use of it.
    return socket as typeof socket & UniversalWebSocket;
  }

  address(actorId: string): string {
    return actorBase(this.#options.base, actorId, this.#options.namespace);
  }

  async fetch(target: ActorTarget, { path, init, params }: RawFetchOptions): Promise<Response> {
    const { env, base, token, headers: always, traceparent, namespace } = this.#options;
    const { streamingFetch } = env;
    if (streamingFetch === undefined) throw clientErrors.unsupportedPlatform("fetch");
    const { headers } = init;
    const trace = traceHeaders(traceparent);
    const ours = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...always,
      ...trace,
    };
    for (const [name, value] of Object.entries(ours)) if (!headers.has(name)) headers.set(name, value);
    if (params !== undefined) headers.set(PARAMS_HEADER, asciiJson(params));
    try {
      return await streamingFetch(rawUrl(base, target, "request", path, namespace), init);
    } catch (error) {
      if (isNotSent(error, base)) throw clientErrors.notSent(base, error);
      throw clientErrors.outcomeUnknown("fetch()", error);
    }
  }
}

/** JSON that a header can hold. Throws `message.outgoing_too_long`. */
function asciiJson(params: unknown): string {
  const text = encodeJson(params, "params");
  checkSize(text, limits.connectionParamsBytes);
  return text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function tokenOf(token: string | undefined): string[] {
  return token === undefined ? [] : [tokenSubprotocol(token)];
}

function paramsOf(params: unknown): string[] {
  if (params === undefined) return [];
  const text = encodeJson(params, "params");
  checkSize(text, limits.connectionParamsBytes);
  return [textSubprotocol(PARAMS_SUBPROTOCOL_PREFIX, text)];
}
