/**
 * Opens the socket of a connection, and finds out why it doesn't open.
 *
 * No platform tells a WebSocket's owner how an upgrade was answered: a server that is away, one without WebSockets and one that
 * refuses look alike. So the same address is asked once more as a plain request, which has a status. Who answers may have come
 * back just then: only a second socket that doesn't open is a fact to be told.
 */
import { TroupeError } from "@troupe/base";
import type { ClientEnv, WebSocketConstructor } from "../env.ts";
import type { ClientLink } from "../transport.ts";
import { openWebSocket } from "./websocket-link.ts";

/** Where a connection's socket is opened. */
export interface SocketPlace {
  readonly WebSocket: WebSocketConstructor;
  readonly fetch: ClientEnv["streamingFetch"] | undefined;
  /** `http://…/connect`, and the same for a socket. */
  readonly url: string;
  readonly socketUrl: string;
  readonly subprotocols: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** Rejects with `client.not_sent` when nobody answers, and with `client.connect_failed` when somebody who opens no socket does. */
export async function dial(place: SocketPlace, signal: AbortSignal | undefined): Promise<ClientLink> {
  const open = (): Promise<ClientLink> =>
    openWebSocket(place.WebSocket, place.socketUrl, place.subprotocols, signal);
  try {
    return await open();
  } catch (cause) {
    if (!TroupeError.is(cause) || !cause.retryable) throw cause;
    const status = await statusOf(place, signal);
    if (status === undefined || isPassing(status)) throw cause;
    return await open().catch((again: unknown) => {
      throw signal?.aborted === true ? again : noWebSocket(place.url, status);
    });
  }
}

/** How a plain request is answered there; nothing when it isn't, or when the platform doesn't tell. */
async function statusOf(
  { fetch, url, headers }: SocketPlace,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  try {
    const answer = await fetch?.(url, { method: "GET", headers: { ...headers }, ...(signal && { signal }) });
    void answer?.body?.cancel().catch(() => {});
    return answer?.status;
  } catch {
    return undefined;
  }
}

/** A server that starts or stops, or a proxy before one, says so by itself. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}

function noWebSocket(where: string, status: number): TroupeError {
  return new TroupeError(
    "client",
    "connect_failed",
    `${where} answers ${status} and opens no WebSocket: ${adviceFor(status)}`,
    { statusCode: 502, metadata: { status } },
  );
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return "are the token, the host and the page's origin allowed there?";
  if (status === 426)
    return 'a server of your own takes them by server.on("upgrade", registry.upgrade), and proxies must pass upgrades on';
  return "is the endpoint a Troupe gateway's, and the path the right one?";
}
