/**
 * A door for the hosts of this machine: a Unix socket that only this user can open, where an engine takes host processes of
 * its own and nobody else.
 *
 * Nothing on the way can break such a connection: when it ends, its process has ended it or is gone. So nobody waits for it to
 * come back, and what ran there starts elsewhere at once.
 */
import { chmodSync, rmSync } from "node:fs";
import { Agent, createServer } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { limits } from "@troupe/protocol";
import { WebSocket, WebSocketServer } from "ws";
import { engineErrors } from "../engine/errors.ts";
import { gatewayErrors, startErrors } from "../errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Link, LinkHandler } from "../ports/transport.ts";
import { writeRefusal } from "./bad-requests.ts";
import { WsLink } from "./ws-link.ts";

/** An open door for hosts. */
export interface HostDoor {
  /** No new hosts. */
  close(): Promise<void>;
  /** Cuts what is still open. */
  end(): void;
}

/** Takes hosts at `path`; settles when it does. Throws `config.cannot_listen`. */
export async function listenForHosts(gateway: Gateway, path: string): Promise<HostDoor> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.pluginFrameBytes,
    perMessageDeflate: false,
  });
  const server = createServer((_, response) => response.writeHead(404).end());
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {});
    if (gateway.takesHost(request.url ?? "/"))
      sockets.handleUpgrade(request, socket, head, (ws) => gateway.host(new ProcessLink(ws, socket)));
    else writeRefusal(socket, gateway.refusal(gatewayErrors.notFound(request.url ?? "/"), "json"));
  });
  // What a killed process left; whoever serves the same data has its lock.
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(startErrors.cannotListen(path, 0, cause)));
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    close: () => new Promise((resolve) => server.close(() => resolve())),
    end: () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
    },
  };
}

/** The link of a process of this machine: its end is the end of its process. */
class ProcessLink extends WsLink {
  constructor(ws: WebSocket, socket: Duplex) {
    super(ws, { socket, closeTimeoutMs: limits.closeTimeoutMs, isClient: true });
  }

  override attach(handler: LinkHandler): void {
    super.attach({
      message: (data) => handler.message(data),
      closed: (_, reason) => handler.closed(NORMAL, reason),
    });
  }
}

const NORMAL = 1000;
const UNIX = "ws+unix:";

/**
 * Opens a link to an engine: over the network, or at a Unix socket. Rejects when `signal` fires before it is open, and with
 * `host.no_engine` when what answers doesn't take hosts: a server of another kind, or a proxy whose engine is away.
 *
 * Not with the WebSocket that Node has of its own: that one makes a system call for each message, and a host says hundreds
 * in a turn.
 */
export function dialEngine(url: string, signal: AbortSignal): Promise<Link> {
  return new Promise((resolve, reject) => {
    const ws = open(url);
    const abort = (): void => {
      reject(signal.reason);
      ws.terminate();
    };
    signal.addEventListener("abort", abort, { once: true });
    ws.once("error", (cause) => reject(unreachable(url, cause)));
    ws.once("unexpected-response", (_, { statusCode = 0, headers }) => {
      reject(engineErrors.noEngine(url, statusCode, String(headers["server"] ?? "")));
      ws.terminate();
    });
    ws.once("upgrade", ({ socket }) => {
      ws.once("open", () => {
        signal.removeEventListener("abort", abort);
        resolve(new WsLink(ws, { socket, closeTimeoutMs: limits.closeTimeoutMs, isClient: true }));
      });
    });
  });
}

/** Node says of a name with several addresses no more than a code. */
function unreachable(url: string, cause: Error): Error {
  const why = cause.message || ("code" in cause ? String(cause.code) : cause.name);
  return new Error(`${url} can't be reached: ${why}`, { cause });
}

function open(url: string): WebSocket {
  const options = { maxPayload: limits.pluginFrameBytes, perMessageDeflate: false };
  if (!url.startsWith(UNIX)) return new WebSocket(url, options);
  const [path = "", route = ""] = url.slice(UNIX.length).split("#");
  const agent = new Agent();
  agent.createConnection = () => connect(path);
  // A mask keeps caches on the way from taking what is sent for something else: there are none here.
  const generateMask = (mask: Buffer): void => void mask.fill(0);
  return new WebSocket(`ws://localhost${route}`, { ...options, agent, generateMask });
}
