/**
 * The connections of one activation: opening with all hooks, closing, and finding who listens.
 */
import { actorErrors } from "../../errors.ts";
import type { ConnectRequest } from "../../ports/instance.ts";
import type { CallChain } from "../../ports/running-call.ts";
import type { Hook } from "../behaviour.ts";
import { checkedParams } from "../schemas.ts";
import type { Activation } from "./activation.ts";
import type { Caller } from "./call-run.ts";
import { Connection } from "./connection.ts";
import { Conns } from "./conns.ts";
import { runCallersHook } from "./hook.ts";
import { entriesOf } from "./shared-by-calls.ts";

/** A client to be let in; without a sink for one call. */
interface Opening extends Omit<ConnectRequest, "sink"> {
  readonly sink?: ConnectRequest["sink"];
  /** Its parameters have passed the schema. */
  readonly checked?: boolean;
}

const NONE: ReadonlyMap<string, Connection> = new Map();

/** Opens, finds and closes connections. */
export class Connections {
  readonly #activation: Activation;
  #open: Map<string, Connection> | undefined;
  #conns: Conns | undefined;

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
  async enter(request: ConnectRequest): Promise<Connection> {
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
  async open(asked: Opening, chain?: CallChain): Promise<Connection> {
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
      if (listed) activation.work.end("connection");
    }
  }

  /** Closes all of them; settles when every `onDisconnect` is done. */
  async closeAll(kind: "stopped" | "destroyed" | "broken", text: string): Promise<void> {
    await Promise.all([...this.all.values()].map((connection) => connection.stopped(kind, text)));
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

  #make(
    request: {
      readonly id?: string;
      readonly params: unknown;
      readonly sink?: ConnectRequest["sink"] | undefined;
    },
    state: unknown,
  ): Connection {
    return new Connection({
      id: request.id ?? this.#activation.env.ids.random(),
      params: request.params,
      state,
      owner: this.#activation,
      sink: request.sink,
    });
  }

  #add(connection: Connection): void {
    this.#open ??= new Map();
    this.#open.set(connection.id, connection);
    this.#activation.work.begin("connection");
  }
}
