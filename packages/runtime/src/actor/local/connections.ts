/**
 * The connections of one activation: opening with all hooks, closing, and finding who listens.
 */
import { actorErrors } from "../../errors.ts";
import type { ActorInstance, ConnectRequest } from "../../ports/instance.ts";
import type { CallChain } from "../../ports/running-call.ts";
import type { Row, RowChange } from "../../ports/storage.ts";
import type { Hook } from "../behaviour.ts";
import { checkedParams } from "../schemas.ts";
import type { Activation } from "./activation.ts";
import type { Caller } from "./call-run.ts";
import { isStorable } from "./conn-state.ts";
import { Connection } from "./connection.ts";
import { ConnectionRows, type RawAddress } from "./connection-rows.ts";
import { Conns } from "./conns.ts";
import { runCallersHook } from "./hook.ts";
import { type Resume, restoreConnections } from "./restore.ts";
import { entriesOf } from "./shared-by-calls.ts";

const NONE: ReadonlyMap<string, Connection> = new Map();

/** A client to be let in; without a sink for one call. */
export type Connecting = Omit<ConnectRequest, "sink"> & {
  readonly sink?: ConnectRequest["sink"] | undefined;
  /** Its parameters have passed the schema. */
  readonly checked?: boolean;
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

  /** Lets a client in: an entry of a serial actor, if any code of it is asked. Rejects with what refused. */
  async enter(request: Connecting): Promise<Connection> {
    const { work, behaviour } = this.#activation;
    const entries = entriesOf(this.#activation);
    if (entries === undefined || behaviour.plainConnections) return await this.open(request);
    work.begin("hook");
    try {
      const entry = await entries.enter({});
      try {
        return await this.open(request, entry.chain);
      } finally {
        entry.end();
      }
    } finally {
      work.end("hook");
    }
  }

  /** Runs the connect hooks in order, as a part of `chain`; rejects with what refused. */
  async open(asked: Connecting, chain?: CallChain): Promise<Connection> {
    const activation = this.#activation;
    const { hooks, schemas } = activation.behaviour;
    const { options } = activation.descriptor;
    const params = asked.checked === true ? asked.params : await checkedParams(schemas, asked.params);
    const request = { ...asked, params };
    const caller = { params, request: request.request, chain };
    if (hooks.onBeforeConnect) {
      const timeoutMs = options.onBeforeConnectTimeout;
      await this.#run("onBeforeConnect", timeoutMs, hooks.onBeforeConnect, caller, request.params);
    }
    const state = await this.#state(caller);
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
      if (onDisconnect) await this.#disconnect(connection, onDisconnect);
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

  async #state(caller: Caller): Promise<unknown> {
    const activation = this.#activation;
    const { connState } = activation.behaviour;
    if (connState.kind === "none") return undefined;
    if (connState.kind === "value") return structuredClone(connState.value);
    const timeoutMs = activation.descriptor.options.createConnStateTimeout;
    return await this.#run("createConnState", timeoutMs, connState.create, caller, caller.params);
  }

  #run(name: string, timeoutMs: number, fn: Hook, caller: Caller, subject: unknown): Promise<unknown> {
    return runCallersHook(this.#activation, caller, { name, timeoutMs, fn, args: [subject] });
  }

  async #disconnect(connection: Connection, hook: Hook): Promise<void> {
    const activation = this.#activation;
    const timeoutMs = activation.descriptor.options.sleepGracePeriod;
    const entry = await entriesOf(activation)?.enter({ chain: activation.calls.running?.chain, own: true });
    try {
      const caller = { connection, params: connection.params, chain: entry?.chain };
      await this.#run("onDisconnect", timeoutMs, hook, caller, connection.conn);
    } finally {
      entry?.end();
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
