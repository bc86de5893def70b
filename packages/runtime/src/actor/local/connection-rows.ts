/**
 * The rows of the connections that hibernate: one each, written with the turn that opened or changed it, removed with the
 * turn in which its `onDisconnect` ended. After a crash on the way the row is still there, and `onDisconnect` runs again.
 */
import { assert } from "@troupe/base";
import { decodeCbor, encodeCbor } from "@troupe/protocol";
import type { Row, RowChange } from "../../ports/storage.ts";

/** Rows of connections have keys with this prefix. */
export const CONNECTION_PREFIX = "conn:";

/** What a connection was opened with. */
export interface StoredConnection {
  readonly id: string;
  readonly params: unknown;
  readonly state: unknown;
  readonly subscriptions: readonly string[];
  /** Of a raw socket: what its handler is told about it. */
  readonly raw: RawAddress | undefined;
}

/** How a raw socket was opened. */
export interface RawAddress {
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly protocol: string;
}

/** One that has a row: a connection, or a raw socket of code behind a carrier. */
export interface HasRow {
  readonly params: unknown;
  readonly subscriptions: Iterable<string>;
  readonly raw: RawAddress | undefined;
  storedState(): unknown;
}

/** What the next batch says of connections. */
export class ConnectionRows {
  readonly #changed = new Map<string, HasRow | undefined>();

  /** `undefined`: it is over. */
  change(id: string, connection: HasRow | undefined): void {
    this.#changed.set(id, connection);
  }

  take(): RowChange[] {
    const into: RowChange[] = [];
    for (const [id, connection] of this.#changed) {
      into.push({ key: CONNECTION_PREFIX + id, value: connection === undefined ? null : encode(connection) });
    }
    this.#changed.clear();
    return into;
  }
}

/** The connections among an actor's rows. */
export function readConnections(rows: readonly Row[]): StoredConnection[] {
  return rows
    .filter(isConnection)
    .map(({ key, value }) => decode(key.slice(CONNECTION_PREFIX.length), value));
}

/** True for the row of a connection. */
export function isConnection({ key }: Row): boolean {
  return key.startsWith(CONNECTION_PREFIX);
}

/** Values stand in it as bytes: each may be as deep as any value. */
function encode(connection: HasRow): Uint8Array {
  const { params, subscriptions, raw } = connection;
  const state = encodeCbor(connection.storedState());
  return encodeCbor([encodeCbor(params), state, [...subscriptions], ...(raw === undefined ? [] : [raw])]);
}

function decode(id: string, row: Uint8Array): StoredConnection {
  const parts = decodeCbor(row);
  assert(Array.isArray(parts), "a connection's row is a list");
  const [params, state, subscriptions, raw] = parts as [Uint8Array, Uint8Array, string[], RawAddress?];
  return { id, params: decodeCbor(params), state: decodeCbor(state), subscriptions, raw };
}
