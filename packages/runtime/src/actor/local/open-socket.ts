/** How an activation comes to a raw socket: a client asks for one, or an earlier activation has left it open. */
import { assert } from "@troupe/base";
import { closeCodes } from "@troupe/protocol";
import { actorErrors } from "../../errors.ts";
import type { SocketClient } from "../../ports/hibernation.ts";
import type { ActorConnection, ActorInstance, ConnectionSink, ConnectRequest } from "../../ports/instance.ts";
import type { RawSocketRequest } from "../../ports/raw.ts";
import type { Activation } from "./activation.ts";
import type { RawAddress, StoredConnection } from "./connection-rows.ts";
import type { Connecting } from "./connections.ts";
import { LocalSocket, OPEN } from "./raw-socket.ts";

/** Takes a raw socket, or refuses it. Never rejects. */
export async function openSocket(
  activation: Activation,
  request: RawSocketRequest,
  connect: (client: ConnectRequest & Pick<Connecting, "raw">) => Promise<ActorConnection>,
): Promise<void> {
  const { onWebSocket } = activation.behaviour.hooks;
  if (onWebSocket === undefined) {
    request.refused(actorErrors.noHandler(activation.record.name, "onWebSocket"));
    return;
  }
  const socket = new LocalSocket(activation, request);
  let connection: ActorConnection;
  try {
    const asked = request.request();
    const stays = canHibernate(activation, asked) && request.client !== undefined;
    connection = await connect({
      ...(request.id === undefined ? {} : { id: request.id }),
      params: request.params,
      sink: socket,
      request: request.request,
      ...(stays ? { client: request.client, raw: addressOf(asked, request.protocol) } : {}),
    });
  } catch (cause) {
    request.refused(cause);
    return;
  }
  socket.begin(connection, onWebSocket);
}

function canHibernate(activation: Activation, request: Request): boolean {
  const { canHibernateWebSocket = true } = activation.descriptor.options;
  if (typeof canHibernateWebSocket === "boolean") return canHibernateWebSocket;
  return activation.enter(() => canHibernateWebSocket(request));
}

function addressOf({ url, headers }: Request, protocol: string): RawAddress {
  return { url, headers: [...headers], protocol };
}

/** A socket that an earlier activation has taken: its handler is called again when the actor runs. */
export function restoreSocket(
  activation: Activation,
  { params, raw }: StoredConnection,
  client: SocketClient,
): { readonly sink: ConnectionSink; resume(instance: ActorInstance, connection: ActorConnection): void } {
  assert(raw !== undefined, "a raw socket is stored with its address");
  const { url, headers, protocol } = raw;
  const { onWebSocket } = activation.behaviour.hooks;
  let instance: ActorInstance | undefined;
  const socket = new LocalSocket(activation, {
    kind: "socket",
    params,
    request: () => new Request(url, { headers: headers.map(([name, value]) => [name, value]) }),
    protocol,
    peer: client.peer,
    opened: (taken) => instance !== undefined && client.resumed(instance, taken),
    refused: () => {},
  });
  return {
    sink: socket,
    resume: (running, connection) => {
      instance = running;
      // The code that took it may have gone since.
      if (onWebSocket === undefined) client.peer.close(closeCodes.policy, "actor.no_handler");
      else if (socket.readyState === OPEN) socket.begin(connection, onWebSocket, "resumed");
    },
  };
}
