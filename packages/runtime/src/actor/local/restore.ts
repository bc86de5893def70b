/**
 * The connections of an earlier activation, at a wake.
 *
 *   rows ──client is there──▶ restored (before onWake) ──running──▶ resumed: what was held is heard, in order
 *        ──client is gone──▶ ended: onDisconnect runs once the actor runs, and the row goes
 *
 * No connect hook runs again. A raw socket's handler is called again, with a socket that is open. A start that fails gives
 * the clients back: they stay asleep, but for the one that woke the actor.
 */
import type { HibernatingClient } from "../../ports/hibernation.ts";
import type { ActorInstance } from "../../ports/instance.ts";
import type { Row } from "../../ports/storage.ts";
import type { Activation } from "./activation.ts";
import { Connection } from "./connection.ts";
import { readConnections, type StoredConnection } from "./connection-rows.ts";
import { restoreSocket } from "./open-socket.ts";

/** A client that hears nothing: only its end is left of it. */
const GONE: HibernatingClient = {
  kind: "connection",
  encoding: "json",
  event: () => {},
  close: () => {},
  hibernate: () => false,
  unknown: () => {},
  resumed: () => {},
};

/** What goes on when the actor runs: called once, with the instance that accepts calls. */
export type Resume = (instance: ActorInstance) => void;

/** Restores what is stored; returns how it goes on. */
export function restoreConnections(activation: Activation, rows: readonly Row[]): Resume {
  const clients = activation.host.hibernation?.take(activation.record.id);
  const unclaimed = new Map(clients);
  const resumes: Resume[] = [];
  for (const stored of readConnections(rows)) {
    const client = unclaimed.get(stored.id);
    unclaimed.delete(stored.id);
    resumes.push(client === undefined ? ended(activation, stored) : restored(activation, stored, client));
  }
  // Nothing of it is stored: it was never told that it is connected.
  for (const client of unclaimed.values()) client.unknown();
  return (instance) => {
    for (const resume of resumes) resume(instance);
  };
}

function ended(activation: Activation, stored: StoredConnection): Resume {
  const connection = connectionOf(activation, stored, { client: GONE, sink: undefined });
  return () => void connection.end();
}

function restored(activation: Activation, stored: StoredConnection, client: HibernatingClient): Resume {
  client.known?.(stored);
  if (client.kind === "connection") {
    const connection = connectionOf(activation, stored, { client, sink: client });
    activation.connections.restore(connection);
    return (instance) => client.resumed(instance, connection);
  }
  const { sink, resume } = restoreSocket(activation, stored, client);
  const connection = connectionOf(activation, stored, { client, sink });
  activation.connections.restore(connection);
  return (instance) => resume(instance, connection);
}

function connectionOf(
  activation: Activation,
  stored: StoredConnection,
  ends: Pick<ConstructorParameters<typeof Connection>[0], "client" | "sink">,
): Connection {
  const { id, params, state, raw, subscriptions } = stored;
  const connection = new Connection({
    id,
    params,
    state,
    raw,
    owner: activation,
    rows: activation.connections,
    ...ends,
  });
  connection.restored(subscriptions);
  return connection;
}
