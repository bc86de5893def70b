/**
 * The clients of one carried activation that stay while the actor sleeps.
 *
 *   host's ──take──▶ told to the code ──Restored──▶ open ──the actor runs──▶ resumed: what was held is heard, in order
 *                          └── the actor runs, and the code has said nothing of it ──▶ unknown: it is closed
 *
 * What is stored of one is the code's own row. So the code says, when it starts, whom it knows, and with its last word
 * whom it leaves; what its rows say is never read here. A start that fails gives all of them back. When the gate breaks,
 * those stay that have lost nothing. When the carrier is lost nobody knows what the code had still to say to them: they
 * are closed, as they are when a process dies.
 *
 * Where the rows are the runtime's (`keepsClients`), it needs no word of the code: who is there again is told with the
 * start, and who isn't as soon as the actor runs.
 */
import {
  decodePayload,
  encodePayload,
  NO_PAYLOAD,
  type Restored,
  type Sleeper,
  type Stopped,
} from "@troupe/protocol/actor/v1";
import type { ConnectionClient, HibernatingClient, SocketClient } from "../../ports/hibernation.ts";
import type { ActorInstance } from "../../ports/instance.ts";
import { readConnections, type StoredConnection } from "../local/connection-rows.ts";
import type { CarriedActivation } from "./activation.ts";

/** Of a client whose row is the code's, and of one that is no raw socket. */
const noAddress = { url: "", headers: [], protocol: "" };
const nothingStored = { params: NO_PAYLOAD, state: NO_PAYLOAD, ...noAddress };

interface Asleep<C extends HibernatingClient> {
  readonly id: string;
  readonly client: C;
}

/** Takes them over from the activation before, and leaves them to the next one. */
export class Sleepers {
  readonly #activation: CarriedActivation;
  /** Those that the code hasn't said to know. */
  readonly #connections = new Map<number, Asleep<ConnectionClient>>();
  readonly #sockets = new Map<number, Asleep<SocketClient>>();
  #resumes: ((instance: ActorInstance) => void)[] | undefined = [];
  /** Whom the code leaves. */
  #left: { readonly connections: ReadonlySet<number>; readonly sockets: ReadonlySet<number> } | undefined;

  constructor(activation: CarriedActivation) {
    this.#activation = activation;
  }

  /** As the code is told of them; nobody where it can't take any. */
  take(): Sleeper[] {
    const { request, declaration, clients, sockets } = this.#activation;
    const { hibernation } = request.host;
    const sleepers: Sleeper[] = [];
    if (this.#activation.clients.kept.here) return this.#takeStored();
    if (hibernation?.has(request.record.id) !== true) return sleepers;
    for (const [id, client] of hibernation.take(request.record.id)) {
      // Other code has left them, which could.
      if (declaration.hibernation !== true) client.unknown();
      else if (client.kind === "connection") {
        const connection = clients.nextNumber();
        this.#connections.set(connection, { id, client });
        sleepers.push({ ...nothingStored, connection, socket: 0, id });
      } else {
        const socket = sockets.nextNumber();
        this.#sockets.set(socket, { id, client });
        sleepers.push({ ...nothingStored, connection: 0, socket, id });
      }
    }
    return sleepers;
  }

  /** Those whose rows are the runtime's: they are as open as they were, or gone, whatever the code says. */
  #takeStored(): Sleeper[] {
    const { request, declaration, encoding } = this.#activation;
    const { record, host, rows } = request;
    const asleep = new Map(host.hibernation?.take(record.id));
    const payload = (value: unknown) => (value === undefined ? NO_PAYLOAD : encodePayload(value, encoding));
    const sleepers = readConnections(rows).flatMap((stored): Sleeper[] => {
      const { id, params, state, raw } = stored;
      const client = asleep.get(id);
      const known = { id, params: payload(params), state: payload(state) };
      if (raw === undefined) {
        if (client?.kind === "connection") asleep.delete(id);
        const connection = this.#wakeConnection(stored, client);
        return declaration.connections ? [{ ...known, ...noAddress, connection, socket: 0 }] : [];
      }
      // Code that takes no sockets any more doesn't know of it.
      const wakes = declaration.sockets && client?.kind === "socket";
      if (wakes) asleep.delete(id);
      const socket = this.#wakeSocket(stored, wakes ? client : undefined);
      const headers = raw.headers.map(([name, value]) => ({ name, value }));
      return declaration.sockets ? [{ ...known, ...raw, headers, connection: 0, socket }] : [];
    });
    for (const client of asleep.values()) client.unknown();
    return sleepers;
  }

  /** Its number. One whose client is gone the code knows until it is told: a process that dies in between tells the next one. */
  #wakeConnection(stored: StoredConnection, client: HibernatingClient | undefined): number {
    const { clients } = this.#activation;
    const { id, params, state, subscriptions } = stored;
    const number = clients.nextNumber();
    if (client?.kind === "connection") {
      const open = clients.restore(number, { id, client, params, state, events: subscriptions });
      this.#resumes?.push((instance) => client.resumed(instance, open));
    } else {
      this.#resumes?.push(() => {
        clients.left(number);
        clients.kept.gone(id);
      });
    }
    return number;
  }

  /** The same for a raw socket. */
  #wakeSocket(stored: StoredConnection, client: SocketClient | undefined): number {
    const { clients, sockets } = this.#activation;
    const { id, params, state, raw } = stored;
    const number = sockets.nextNumber();
    if (client !== undefined) {
      const open = sockets.restore(number, { id, client, peer: client.peer, params, state, raw });
      clients.kept.keep(open);
      this.#resumes?.push((instance) => client.resumed(instance, open));
    } else {
      this.#resumes?.push(() => {
        sockets.left(number);
        clients.kept.gone(id);
      });
    }
    return number;
  }

  /** The code knows one. */
  restored({ connection, socket, params, events }: Restored): void {
    const { clients, sockets, encoding } = this.#activation;
    const known = this.#connections.get(connection);
    if (known !== undefined) {
      this.#connections.delete(connection);
      const { id, client } = known;
      const value = params.byteLength === 0 ? undefined : decodePayload(params, encoding);
      const open = clients.restore(connection, { id, client, params: value, events });
      this.#resumes?.push((instance) => client.resumed(instance, open));
    }
    const asleep = this.#sockets.get(socket);
    if (asleep !== undefined) {
      this.#sockets.delete(socket);
      const { id, client } = asleep;
      const open = sockets.restore(socket, { id, client, peer: client.peer });
      this.#resumes?.push((instance) => client.resumed(instance, open));
    }
  }

  /** The actor runs. */
  resume(instance: ActorInstance): void {
    const resumes = this.#resumes ?? [];
    this.#resumes = undefined;
    for (const { client } of [...this.#connections.values(), ...this.#sockets.values()]) client.unknown();
    this.#connections.clear();
    this.#sockets.clear();
    for (const resume of resumes) resume(instance);
  }

  /** The code's last word. */
  leave({ connections, sockets }: Stopped): void {
    this.#left = { connections: new Set(connections), sockets: new Set(sockets) };
  }

  /** Gives those that outlive the activation to the host. */
  hibernate(why: "sleep" | "broken"): void {
    const { request, gone, clients, sockets } = this.#activation;
    const { record, host } = request;
    const { hibernation } = host;
    if (hibernation === undefined) return;
    for (const { id, client } of [...this.#connections.values(), ...this.#sockets.values()])
      if (client.hibernate(id)) hibernation.keep(record.id, id, client);
    const left = this.#left;
    const stored = this.#activation.clients.kept.here && left !== undefined;
    const all = this.#resumes !== undefined || (why === "broken" && !gone) || stored;
    const staying = [
      ...clients.hibernate((number) => all || left?.connections.has(number) === true),
      ...sockets.hibernate((number) => all || left?.sockets.has(number) === true),
    ];
    for (const [id, client] of staying) hibernation.keep(record.id, id, client);
  }
}
