/**
 * The connections of one carried activation. They are the runtime's: who listens to what is known here, so that a
 * subscription is in force at once, whatever the code is busy with. Code that declared that it wants to know of
 * connections is asked before one is accepted, and told of subscriptions and ends.
 *
 * A client that stays while the actor sleeps has a row, as one of an actor in this process has. Code that keeps its own
 * bookkeeping stores it; for code whose queues and schedules are kept here, it is stored here.
 */

import { nearest, type TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import {
  type CarriedEvent,
  type CarriedSubscribed,
  decodeArgs,
  encodePayload,
  fromCarriedError,
  NO_PAYLOAD,
} from "@troupe/protocol/actor/v1";
import { hostingErrors } from "../../errors.ts";
import type { ConnectionClient, HibernatingClient } from "../../ports/hibernation.ts";
import type {
  ActorConnection,
  ConnectRequest,
  SubscribeAnswer,
  SubscribeRequest,
} from "../../ports/instance.ts";
import { Connection, type ConnectionOwner } from "../local/connection.ts";
import { checkEvent, EventMessage, EventOutput, eventLimit } from "../local/outputs.ts";
import type { CarriedActivation } from "./activation.ts";
import { KeptClients } from "./kept-clients.ts";
import { mayStay } from "./staying.ts";

/** A client of a carried actor. */
class CarriedConnection extends Connection {
  readonly number: number;
  readonly #clients: Clients;
  /** The code has what it must know of it: its client stays while the actor sleeps. */
  #stays = false;

  constructor(number: number, clients: Clients, options: ConstructorParameters<typeof Connection>[0]) {
    super(options);
    this.number = number;
    this.#clients = clients;
  }

  override get hibernatable(): boolean {
    return this.#stays;
  }

  /** The code hasn't answered all that the client asked for. */
  override get waiting(): boolean {
    return this.#clients.isSubscribing(this);
  }

  override stand(): void {
    this.#stays = true;
    super.stand();
  }

  override restored(subscriptions: readonly string[]): void {
    this.#stays = true;
    super.restored(subscriptions);
  }

  override unsubscribe(event: string): void {
    if (this.#clients.kept.here) return this.#clients.forgets(this, event);
    if (!this.subscriptions.delete(event) && !this.#clients.isAnswered(this, event)) return;
    this.#clients.unsubscribed(this, event);
  }
}

/** Someone who waits to be accepted. */
interface Asking {
  readonly connection: CarriedConnection;
  accepted(): void;
  refused(error: TroupeError): void;
}

/** A subscription that the code hasn't answered. */
interface Subscribing {
  readonly connection: CarriedConnection;
  readonly event: string;
  /** What the client had missed was another actor's. */
  readonly gap: boolean;
  readonly answer: SubscribeAnswer;
}

/** Opens, finds and closes connections. */
export class Clients {
  /** Those that stay, where what is stored of them is the runtime's. */
  readonly kept: KeptClients;
  readonly #activation: CarriedActivation & ConnectionOwner;
  readonly #open = new Map<number, CarriedConnection>();
  readonly #asking = new Map<number, Asking>();
  readonly #subscribing = new Map<number, Subscribing>();
  #lastSubscription = 0;
  #last = 0;

  constructor(activation: CarriedActivation) {
    this.#activation = activation;
    this.kept = new KeptClients(activation);
  }

  get size(): number {
    return this.#open.size;
  }

  get all(): readonly Connection[] {
    return [...this.#open.values()];
  }

  /** Of a connection that is to come. */
  nextNumber(): number {
    this.#last += 1;
    return this.#last;
  }

  /** The number of a caller's connection on the line; 0 for none. */
  numberOf(connection: ActorConnection | undefined): number {
    return connection instanceof CarriedConnection ? connection.number : 0;
  }

  /** Rejects with what refused. */
  async connect(request: ConnectRequest): Promise<ActorConnection> {
    const connection = this.#make(request);
    // In the breath in which it is accepted: what the code says behind that, its end too, is behind this.
    const opened = (): void => {
      if (request.opened !== undefined) connection.emit(request.opened(connection));
    };
    if (this.#activation.declaration.connections) await this.#ask(connection, opened);
    else {
      this.#accept(connection, this.kept.here);
      opened();
    }
    return connection;
  }

  /** The code's answer. */
  answered(number: number, error: TroupeError | undefined, stays: boolean): void {
    const asking = this.#asking.get(number);
    if (asking === undefined) return;
    this.#asking.delete(number);
    if (error === undefined) {
      this.#accept(asking.connection, stays);
      asking.accepted();
    } else asking.refused(error);
  }

  /** True for an event whose subscriptions the code answers. */
  isGuarded(event: string): boolean {
    return this.#activation.declaration.guardedEvents.includes(event);
  }

  /** The same, for one client: what is stored of one that stays is the code's to store before the client is told. */
  isAnswered(connection: CarriedConnection, event: string): boolean {
    return (connection.hibernatable && !this.kept.here) || this.isGuarded(event);
  }

  /** True while the code has a subscription of it to answer. */
  isSubscribing(connection: CarriedConnection): boolean {
    for (const asked of this.#subscribing.values()) if (asked.connection === connection) return true;
    return false;
  }

  subscribe(connection: Connection, request: SubscribeRequest, answer: SubscribeAnswer): void {
    if (!(connection instanceof CarriedConnection)) return;
    const { event, resume } = request;
    // Another one has lived under its key since.
    const resumes = resume !== undefined && resume.actorId === this.#activation.request.record.id;
    const gap = resume !== undefined && !resumes;
    const value = {
      connection: connection.number,
      event,
      subscription: 0,
      resumes,
      after: resume?.after ?? 0,
    };
    if (this.isAnswered(connection, event)) {
      this.#lastSubscription += 1;
      this.#subscribing.set(this.#lastSubscription, { connection, event, gap, answer });
      this.#activation.say({ $case: "subscribe", value: { ...value, subscription: this.#lastSubscription } });
      return;
    }
    const known = connection.subscriptions.has(event);
    connection.listen(event);
    connection.emit(answer.done(resume === undefined ? {} : { gap: true }));
    if (!known) this.#tell({ $case: "subscribe", value });
  }

  /** The code's answer to a subscription. */
  subscribed({ subscription, error, retained, sequence, gap }: CarriedSubscribed): void {
    const asked = this.#subscribing.get(subscription);
    this.#subscribing.delete(subscription);
    if (asked === undefined || asked.connection.ended) return;
    const { connection, event, answer } = asked;
    if (error !== undefined) {
      connection.emit(answer.refused(fromCarriedError(error, this.#activation.encoding)));
      return;
    }
    connection.listen(event);
    const place = { ...(retained ? { sequence } : {}), ...(gap || asked.gap ? { gap: true } : {}) };
    connection.emit(answer.done(place));
  }

  /** A client of those that are stored here listens no longer. */
  forgets(connection: CarriedConnection, event: string): void {
    if (!connection.subscriptions.delete(event)) return;
    if (this.kept.has(connection)) this.kept.changed(connection);
    this.unsubscribed(connection, event);
  }

  unsubscribed(connection: CarriedConnection, event: string): void {
    this.#tell({ $case: "unsubscribe", value: { connection: connection.number, event } });
  }

  /** An event of the code. Throws `actor.undeclared_event`, `value.*`, `message.outgoing_too_long`. */
  event(event: CarriedEvent): void {
    const { events } = this.#activation.declaration;
    // Whoever declares none may send any, as types have it for actors of this process.
    if (events.length > 0 && !events.includes(event.name)) {
      // No longer than a name may be: to find the nearest takes time with the square of its length.
      const name = event.name.slice(0, limits.memberNameLength);
      throw hostingErrors.undeclaredEvent(name, nearest(name, events));
    }
    const targets = this.#targets(event);
    const { maxOutgoingMessageSize } = this.#activation.descriptor.options;
    if (targets.length === 0 && event.args.byteLength <= eventLimit(maxOutgoingMessageSize)) return;
    const args = decodeArgs(event.args, this.#activation.encoding);
    if (targets.length === 0) {
      checkEvent(event.name, args, maxOutgoingMessageSize);
      return;
    }
    this.deliver(targets, event.name, args, !event.unconfirmed, event.sequence || undefined);
  }

  deliver(
    targets: readonly Connection[],
    name: string,
    args: readonly unknown[],
    gated: boolean,
    sequence?: number,
  ): void {
    const { maxOutgoingMessageSize } = this.#activation.descriptor.options;
    const message = new EventMessage({ name, args, gated, sequence }, targets, maxOutgoingMessageSize);
    if (gated) this.#activation.emit(new EventOutput(message, targets));
    else for (const target of targets) target.deliver(message);
  }

  kick(number: number, reason: string): void {
    void this.#open.get(number)?.kick(reason);
  }

  /** One has ended. */
  remove(connection: Connection): void {
    if (!(connection instanceof CarriedConnection) || !this.#open.delete(connection.number)) return;
    this.left(connection.number);
    if (this.kept.has(connection)) this.kept.gone(connection.id);
    if (!connection.hibernatable) this.#activation.work.end("connection");
  }

  /** The code is told that a client is gone. */
  left(number: number): void {
    this.#tell({ $case: "disconnect", value: { connection: number } });
  }

  /** One that an earlier activation has left is as open as it was. */
  restore(
    number: number,
    of: Pick<CarriedConnection, "id" | "params"> & {
      client: ConnectionClient;
      events: readonly string[];
      state?: unknown;
    },
  ): ActorConnection {
    const { id, params, client, events, state } = of;
    const connection = new CarriedConnection(number, this, {
      id,
      params,
      client,
      state,
      owner: this.#activation,
      sink: client,
      rows: this.kept.here ? this.kept : undefined,
    });
    connection.restored(events);
    this.#open.set(number, connection);
    if (this.kept.here) this.kept.keep(connection);
    return connection;
  }

  /** Lets go of those that stay without the activation, if their clients do; gives them by their ids. */
  hibernate(stays: (number: number) => boolean): (readonly [id: string, client: HibernatingClient])[] {
    return [...this.#open.values()].flatMap((connection) => {
      const { client, number, id, hibernatable } = connection;
      if (client === undefined || !hibernatable || !stays(number) || !connection.hibernate()) return [];
      this.#open.delete(number);
      return [[id, client] as const];
    });
  }

  /** Nobody who waits is accepted any more. */
  refuseAll(error: TroupeError): void {
    const asking = [...this.#asking.values()];
    this.#asking.clear();
    for (const one of asking) one.refused(error);
  }

  closeAll(kind: "stopped" | "destroyed" | "broken", text: string): void {
    for (const connection of [...this.#open.values()]) void connection.stopped(kind, text);
  }

  #make(request: ConnectRequest): CarriedConnection {
    const owner = this.#activation;
    const id = owner.env.ids.random();
    const { params, sink } = request;
    const client = mayStay(owner) ? request.client : undefined;
    return new CarriedConnection(this.nextNumber(), this, {
      id,
      params,
      state: undefined,
      owner,
      sink,
      client,
      rows: this.kept.here ? this.kept : undefined,
    });
  }

  #accept(connection: CarriedConnection, stays: boolean): void {
    this.#open.set(connection.number, connection);
    if (stays && connection.client !== undefined) {
      if (this.kept.here) this.kept.keep(connection);
      connection.stand();
    } else this.#activation.work.begin("connection");
  }

  /** Settles when the code has accepted the connection; rejects with what it says. */
  async #ask(connection: CarriedConnection, opened: () => void): Promise<void> {
    const { encoding, work } = this.#activation;
    const { number, id } = connection;
    const stays = connection.client !== undefined;
    const params = connection.params === undefined ? NO_PAYLOAD : encodePayload(connection.params, encoding);
    work.begin("hook");
    try {
      await new Promise<void>((resolve, refused) => {
        const accepted = (): void => {
          opened();
          resolve();
        };
        this.#asking.set(number, { connection, accepted, refused });
        this.#tell({ $case: "connect", value: { connection: number, id, params, stays } });
      });
    } finally {
      work.end("hook");
    }
  }

  #targets(event: CarriedEvent): CarriedConnection[] {
    if (this.#open.size + this.#asking.size === 0) return [];
    if (event.connections.length === 0)
      return [...this.#open.values()].filter((connection) => connection.subscriptions.has(event.name));
    // A connect hook may speak to the connection that it is asked about.
    return event.connections.flatMap(
      (number) => this.#open.get(number) ?? this.#asking.get(number)?.connection ?? [],
    );
  }

  #tell(word: Parameters<CarriedActivation["say"]>[0]): void {
    if (this.#activation.declaration.connections) this.#activation.say(word);
  }
}
