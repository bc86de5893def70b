/**
 * An actor's own protocol over HTTP: raw WebSockets.
 */
import { encodeJson, limits, PARAMS_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from "@troupe/protocol";
import type { ClientEnv } from "../env.ts";
import { clientErrors } from "../errors.ts";
import { checkSize } from "../message-size.ts";
import type { UniversalWebSocket } from "../raw/universal-web-socket.ts";
import type { ActorTarget, RawSocketOptions, RawTransport } from "../transport.ts";
import { rawUrl, socketUrl } from "./address.ts";
import { textSubprotocol, tokenSubprotocol } from "./token.ts";

/** What it needs. */
export interface HttpRawOptions {
  readonly env: Pick<ClientEnv, "WebSocket">;
  /** As `parseEndpoint` gives it. */
  readonly base: string;
  readonly token: string | undefined;
}

/** Opens raw WebSockets. */
export class HttpRaw implements RawTransport {
  readonly #options: HttpRawOptions;

  constructor(options: HttpRawOptions) {
    this.#options = options;
  }

  webSocket(target: ActorTarget, { path, protocols, params }: RawSocketOptions): UniversalWebSocket {
    const { env, base, token } = this.#options;
    if (env.WebSocket === undefined) throw clientErrors.unsupportedPlatform("WebSocket");
    const ours = [...tokenOf(token), ...paramsOf(params)];
    // A server must agree on one that was offered: ours, if the caller has none.
    const offered = ours.length === 0 ? protocols : [...protocols, SUBPROTOCOL, ...ours];
    const socket = new env.WebSocket(socketUrl(rawUrl(base, target, "websocket", path)), [...offered]);
    socket.binaryType = "arraybuffer";
    // What a platform calls WebSocket is a standard one; its port names only what connections use of it.
    return socket as typeof socket & UniversalWebSocket;
  }
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
