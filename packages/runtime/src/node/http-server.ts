/**
 * A server of our own: the gateway on node:http and ws.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { setupErrors } from "../errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Listening } from "../registry/platform.ts";
import { answerBadRequests } from "./bad-requests.ts";
import { type DoorTimes, NodeDoor } from "./node-door.ts";

/** How long a server waits for what. Milliseconds; each is a limit. */
export interface ServerTimes extends DoorTimes {
  readonly headersMs: number;
}

const defaultTimes: ServerTimes = {
  headersMs: limits.headersTimeoutMs,
  requestMs: limits.requestTimeoutMs,
  lookMs: limits.requestLookMs,
  closeMs: limits.closeTimeoutMs,
};

/** Serves a gateway; settles when it listens. Throws `config.port_in_use`, `config.cannot_listen`. */
export async function listen(options: {
  env: Env;
  gateway: Gateway;
  host: string;
  port: number;
  times?: ServerTimes;
}): Promise<Listening> {
  const { gateway, host, times = defaultTimes } = options;
  const door = new NodeDoor(gateway, times);
  const server = createServer(
    {
      headersTimeout: times.headersMs,
      // See LateBodies.
      requestTimeout: 0,
      connectionsCheckingInterval: times.lookMs,
      maxHeaderSize: limits.headerBytes,
      noDelay: true,
      // Any other protocol (curl offers h2c) is an offer that a server may ignore: RFC 9110, 7.8.
      shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === "websocket",
    },
    (request, response) => door.request(request, response),
  );
  answerBadRequests(server, (error) => gateway.refusal(error, "json"));
  server.on("upgrade", (request, socket, head) => door.upgrade(request, socket, head));
  const port = await bind(server, host, options.port);
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    endpoint: `http://${shown}:${port}`,
    port,
    host,
    close: async () => {
      await Promise.all([new Promise((resolve) => server.close(resolve)), door.close()]);
    },
    end: () => {
      server.closeAllConnections();
      door.end();
    },
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const inUse = error.code === "EADDRINUSE";
      reject(inUse ? setupErrors.portInUse(host, port) : setupErrors.cannotListen(host, port, error));
    });
    server.listen({ host, port }, () => resolve(addressOf(server).port));
  });
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has an address");
  return address;
}
