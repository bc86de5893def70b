/**
 * The connections of one activation: opening with all hooks, closing, and finding who listens.
 */
import { actorErrors } from "../../errors.ts";
import type { ActorInstance, ConnectRequest } from "../../ports/instance.ts";
import type { Row, RowChange } from "../../ports/storage.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import { isStorable } from "./conn-state.ts";
import { Connection } from "./connection.ts";
import { ConnectionRows, type RawAddress } from "./connection-rows.ts";
import { Conns } from "./conns.ts";
import { abortCall, CallContext, type Caller, releaseCall } from "./context.ts";
import { type Resume, restoreConnections } from "./restore.ts";

const NONE: ReadonlyMap<string, Connection> = new Map();

/** A client with a socket; without `sink` a stateless call. */
export type Connecting = Omit<ConnectRequest, "sink"> & {
  readonly sink?: ConnectRequest["sink"] | undefined;
  /** How a raw socket was opened. */
  readonly raw?: RawAddress | undefined;
};

/** Opens, finds and closes connections. */
export class Connections {
  readonly #activation: Activation;
  #open: Map<string, Connection> | undefined;
  #conns: Conns | undefined;
  #rows: ConnectionRows | undefined;
  /** Goes on with those of an earlier life, when this one runs. */
  #resume: Resume | undefined;

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  /** Open connections by id, stateless ones not counted. */
  get all(): ReadonlyMap<string, Connection> {
    return this.#open ?? NONE;
  }

  /** The same, for the actor's code. */
  get conns(): Conns {
    this.#open ??= new Map();
    this.#conns ??= new Conns(this.#open);
    return this.#conns;
  }

  /** Runs the connect hooks in order; rejects with what refused. */
  async open(request: Connecting): Promise<Connection> {
    const activation = this.#activation;
    const { hooks } = activation.behaviour;
    const { options } = activation.descriptor;
    const caller = { params: request.params, request: request.request };
    if (hooks.onBeforeConnect) {
      const timeoutMs = options.onBeforeConnectTimeout;
      await this.#run("onBeforeConnect", timeoutMs, hooks.onBeforeConnect, caller, request.params);
    }
    const state = await this.#state(request);
    // The stop that began meanwhile has closed, or will close, those that it knows of.
    if (request.sink !== undefined && activation.stopping) throw actorErrors.stopping();
    const connection = this.#make(request, state);
    if (request.sink !== undefined) this.#add(connection);
    if (hooks.onConnect) {
      const connected = { ...caller, connection };
      try {
        await this.#run("onConnect", options.onConnectTimeout, hooks.onConnect, connected, connection.conn);
      } catch (cause) {
        await connection.end();
        throw cause;
      }
    }
    connection.stand();
    if (request.opened !== undefined) connection.emit(request.opened(connection));
    return connection;
  }

  /** The connection of a stateless call to an actor without connect hooks: it lasts as long as the call. */
  stateless(params: unknown): Connection {
    const { connState } = this.#activation.behaviour;
    const state = connState.kind === "value" ? structuredClone(connState.value) : undefined;
    return this.#make({ params, sink: undefined }, state);
  }

  /** Who listens to an event. */
  listeners(event: string): Connection[] {
    const listeners: Connection[] = [];
    for (const connection of this.all.values()) {
      if (connection.subscriptions.has(event)) listeners.push(connection);
    }
    return listeners;
  }

  /** A connection ended: runs `onDisconnect`. Never rejects. */
  async remove(connection: Connection): Promise<void> {
    const activation = this.#activation;
    const listed = this.#open?.delete(connection.id) === true;
    const { onDisconnect } = activation.behaviour.hooks;
    try {
      const ending = connection.endSink();
      if (ending !== undefined) await ending;
      if (onDisconnect) {
        const timeoutMs = activation.descriptor.options.sleepGracePeriod;
        const caller = { connection, params: connection.params };
        await this.#run("onDisconnect", timeoutMs, onDisconnect, caller, connection.conn);
      }
    } catch (cause) {
      activation.log.error("onDisconnect failed", { cause });
    } finally {
      if (listed && !connection.hibernatable) activation.work.end("connection");
      if (connection.stored) this.#forget(connection);
    }
  }

  /** Closes all of them; settles when every `onDisconnect` is done. */
  async closeAll(kind: "stopped" | "destroyed" | "broken", text: string): Promise<void> {
    await Promise.all([...this.all.values()].map((connection) => connection.stopped(kind, text)));
  }

  /** As `closeAll`, for those that end with the activation. */
  async closeOwn(kind: "stopped", text: string): Promise<void> {
    const own = [...this.all.values()].filter((connection) => !connection.hibernatable);
    await Promise.all(own.map((connection) => connection.stopped(kind, text)));
  }

  /**
   * Gives those that outlive the activation to the host; what is stored of them goes with the last batch. One whose client
   * isn't open yet stays, to be closed.
   */
  hibernate(): void {
    const { host, record } = this.#activation;
    for (const connection of this.all.values()) {
      connection.lookAgain();
      const { client } = connection;
      if (client === undefined || !connection.hibernate()) continue;
      this.#open?.delete(connection.id);
      host.hibernation?.keep(record.id, connection.id, client);
    }
  }

  /** What is stored of one changes with this turn. */
  changed(connection: Connection): void {
    this.#rows ??= new ConnectionRows();
    this.#rows.change(connection.id, connection);
    this.#activation.wrote();
  }

  /** The first rows of a batch. */
  take(): RowChange[] {
    return this.#rows?.take() ?? [];
  }

  /** Restores those of an earlier life. */
  load(rows: readonly Row[]): void {
    this.#resume = restoreConnections(this.#activation, rows);
  }

  /** The actor runs. */
  resume(instance: ActorInstance): void {
    this.#resume?.(instance);
    this.#resume = undefined;
  }

  /** One of an earlier activation: it is there, as if it had never slept. */
  restore(connection: Connection): void {
    this.#open ??= new Map();
    this.#open.set(connection.id, connection);
  }

  /** Its row goes. A life that has ended leaves that to the next one, which runs `onDisconnect` again. */
  #forget(connection: Connection): void {
    if (this.#activation.phase.tag === "stopped") return;
    this.#rows ??= new ConnectionRows();
    this.#rows.change(connection.id, undefined);
    this.#activation.wrote();
  }

  async #state(request: {
    readonly params: unknown;
    readonly request?: (() => Request) | undefined;
  }): Promise<unknown> {
    const activation = this.#activation;
    const { connState } = activation.behaviour;
    if (connState.kind === "none") return undefined;
    if (connState.kind === "value") return structuredClone(connState.value);
    const timeoutMs = activation.descriptor.options.createConnStateTimeout;
    return await this.#run("createConnState", timeoutMs, connState.create, request, request.params);
  }

  /** Runs a hook with a context of its own, which ends with it: nothing of it stays with the activation. */
  async #run(
    name: string,
    timeoutMs: number,
    hook: Hook,
    { params, request, connection }: Caller,
    subject: unknown,
  ): Promise<unknown> {
    const c = new CallContext(this.#activation, { params, request, connection });
    try {
      return await this.#activation.hook(name, timeoutMs, hook, [c, subject]);
    } catch (cause) {
      abortCall(c, cause);
      throw cause;
    } finally {
      releaseCall(c);
    }
  }

  #make(request: Connecting, state: unknown): Connection {
    const { host, expiry } = this.#activation;
    // A connection is use: an actor that expires stays awake under it.
    const hibernates =
      request.client !== undefined &&
      host.hibernation !== undefined &&
      expiry === undefined &&
      isStorable(state);
    return new Connection({
      id: request.id ?? this.#activation.env.ids.random(),
      params: request.params,
      state,
      owner: this.#activation,
      sink: request.sink,
      rows: this,
      client: hibernates ? request.client : undefined,
      raw: hibernates ? request.raw : undefined,
    });
  }

  #add(connection: Connection): void {
    this.#open ??= new Map();
    this.#open.set(connection.id, connection);
    if (!connection.hibernatable) this.#activation.work.begin("connection");
  }
}
