/**
 * Connection: one client of one activation. `LocalConn` is what user code sees of it, `ActorConnection` what the gateway
 * sees.
 */
import type { TroupeError } from "@troupe/base";
import { type Encoding, limits } from "@troupe/protocol";
import { connectionErrors } from "../../errors.ts";
import type { OutputGate } from "../../gate/output-gate.ts";
import type { HibernatingClient } from "../../ports/hibernation.ts";
import type {
  ActorConnection,
  CloseReason,
  ConnectionSink,
  EncodedEvent,
  SubscribeAnswer,
  SubscribeRequest,
} from "../../ports/instance.ts";
import { Output } from "../../ports/output.ts";
import type { MaybePromise } from "../../ports/storage.ts";
import type { ActorDescriptor } from "../behaviour.ts";
import { LocalConn } from "./conn.ts";
import { ConnState } from "./conn-state.ts";
import type { RawAddress } from "./connection-rows.ts";
import type { StateOwner } from "./state-tree.ts";

/** What a connection needs of its activation. */
export interface ConnectionOwner extends Pick<StateOwner, "log" | "borrower"> {
  readonly descriptor: ActorDescriptor;
  readonly gate: Pick<OutputGate, "broken">;
  emit(output: Output): void;
  /** Lets a connection listen to an event, or answers why it may not. */
  subscribe(connection: Connection, request: SubscribeRequest, answer: SubscribeAnswer): void;
  /** Makes and emits an event for some connections. */
  send(targets: readonly Connection[], name: string, args: readonly unknown[], gated: boolean): void;
  /** The connection ends; settles when `onDisconnect` is done. */
  disconnected(connection: Connection): Promise<void>;
}

/** Where a connection that hibernates is stored. */
export interface StoresConnections {
  /** What is stored of it has changed. */
  changed(connection: Connection): void;
}

/** A client of this activation. */
export class Connection implements ActorConnection {
  readonly id: string;
  readonly params: unknown;
  /** Keeps its socket while the actor sleeps. */
  readonly client: HibernatingClient | undefined;
  /** Of a raw socket that hibernates: how it was opened. */
  readonly raw: RawAddress | undefined;
  readonly encoding: Encoding;
  readonly maxIncomingBytes: number;
  readonly maxOutgoingBytes: number;
  /** Events that the client listens to. */
  readonly subscriptions = new Set<string>();
  readonly #owner: ConnectionOwner;
  readonly #sink: ConnectionSink | undefined;
  readonly #rows: StoresConnections | undefined;
  /** What was given, or a `ConnState` where it is stored. */
  #state: unknown;
  #stands = false;
  #hibernates = false;
  /** Something that was on its way to the client never left: it has to know. */
  #missed = false;
  #conn: LocalConn | undefined;
  /** The newest thing that the client asked for and that waits. */
  #before: Promise<void> | undefined;
  #ended: Promise<void> | undefined;
  #reason: CloseReason | undefined;

  constructor(options: {
    id: string;
    params: unknown;
    state: unknown;
    owner: ConnectionOwner;
    /** Absent for a stateless call, which nothing can be sent to. */
    sink: ConnectionSink | undefined;
    rows?: StoresConnections | undefined;
    client?: HibernatingClient | undefined;
    raw?: RawAddress | undefined;
  }) {
    this.id = options.id;
    this.maxIncomingBytes = options.owner.descriptor.options.maxIncomingMessageSize;
    this.maxOutgoingBytes = options.owner.descriptor.options.maxOutgoingMessageSize;
    this.params = options.params;
    this.#owner = options.owner;
    this.#rows = options.rows;
    this.client = options.client;
    this.raw = options.raw;
    const { state } = options;
    this.#state = options.client === undefined ? state : new ConnState(this.#stateOwner(), state);
    this.#sink = options.sink;
    this.encoding = options.sink?.encoding ?? "json";
  }

  /** What user code is given of it. */
  get conn(): LocalConn {
    this.#conn ??= new LocalConn(this);
    return this.#conn;
  }

  /** Its client stays while the actor sleeps. */
  get hibernatable(): boolean {
    return this.client !== undefined;
  }

  /** It is a call's, and hears nothing. What is left of a client that has gone hears nothing either, but was a connection. */
  get stateless(): boolean {
    return this.#sink === undefined && this.client === undefined;
  }

  /** The connection's own, for as long as it lasts. */
  get state(): unknown {
    return this.#state instanceof ConnState ? this.#state.value : this.#state;
  }

  set state(value: unknown) {
    if (this.#state instanceof ConnState) this.#state.value = value;
    else this.#state = value;
  }

  /** The state as it is to be stored. */
  storedState(): unknown {
    return this.#state instanceof ConnState ? this.#state.taken() : this.#state;
  }

  /** The connect hooks are done: from now on it is stored, and outlives the activation. */
  stand(): void {
    this.#stands = true;
    this.#changed();
  }

  /** It was stored by an earlier activation. */
  restored(subscriptions: readonly string[]): void {
    this.#stands = true;
    for (const event of subscriptions) this.subscriptions.add(event);
  }

  /** Something may have been written to its state unseen: the last batch takes it. */
  lookAgain(): void {
    if (this.#state instanceof ConnState && this.#state.suspicious) this.#changed();
  }

  /** There is, or will be, a row of it. */
  get stored(): boolean {
    return this.#stands && this.client !== undefined;
  }

  /** The activation ends without it. False: it can't, or its client is gone. */
  hibernate(): boolean {
    // What waits behind a subscription that isn't decided would wait for ever.
    if (!this.#stands || this.ended || this.waiting || this.#missed) return false;
    if (this.client?.hibernate(this.id) !== true) return false;
    // What the old code still says of it is refused, or means nobody.
    this.#hibernates = true;
    this.#ended = Promise.resolve();
    this.#sink?.hibernated?.();
    return true;
  }

  /** Sends an event to this client alone. */
  send(name: string, args: readonly unknown[], gated: boolean): void {
    this.#owner.send([this], name, args, gated);
  }

  /** The actor closes it; settles when `onDisconnect` is done. */
  kick(text: string): Promise<void> {
    if (this.#ended !== undefined) return this.#ended;
    this.#reason ??= { kind: "kicked", text };
    this.#close(this.#reason);
    return this.end();
  }

  emit(output: Output): void {
    this.#owner.emit(output);
  }

  subscribe(request: SubscribeRequest, answer: SubscribeAnswer): void {
    const { size } = this.subscriptions;
    if (size >= limits.connectionSubscriptions && !this.subscriptions.has(request.event)) {
      const error = connectionErrors.tooManySubscriptions(limits.connectionSubscriptions);
      this.#owner.emit(answer.refused(error));
      return;
    }
    this.#owner.subscribe(this, request, answer);
  }

  /** The client gets an event from now on. */
  listen(event: string): void {
    if (this.subscriptions.has(event)) return;
    this.subscriptions.add(event);
    this.#changed();
  }

  unsubscribe(event: string): void {
    this.inOrder(() => {
      if (this.subscriptions.delete(event)) this.#changed();
    });
  }

  /**
   * Does what the client asked for, behind what it asked for before: at once, unless something of that has to be waited
   * for. `task` doesn't reject.
   */
  inOrder(task: () => MaybePromise<void>): void {
    const before = this.#before;
    const doing = before === undefined ? task() : before.then(task);
    if (!(doing instanceof Promise)) return;
    this.#before = doing;
    void doing.then(() => {
      if (this.#before === doing) this.#before = undefined;
    });
  }

  /** True while something that the client asked for has to be waited for: what it asks for now is `inOrder`'s. */
  get waiting(): boolean {
    return this.#before !== undefined;
  }

  closed(): void {
    void this.end();
  }

  /** The activation ends, or breaks: the client is told. */
  stopped(kind: "stopped" | "destroyed" | "broken", text: string): Promise<void> {
    this.#reason ??= { kind, text };
    if (kind === "broken") this.#sink?.close({ kind, text });
    else this.#close({ kind, text });
    return this.end();
  }

  /** Lets the other end settle what it has to, before `onDisconnect`. */
  endSink(): Promise<void> | undefined {
    return this.#sink?.ended?.(this.#reason);
  }

  /** Something that was on its way to the client will never leave. */
  lost(error: TroupeError): void {
    if (this.#hibernates) {
      // Its activation has let go of it, and won't close it.
      this.#sink?.close({ kind: "broken", text: `${error.group}.${error.code}` });
      return;
    }
    // With a broken gate the activation ends, and closes it when every answer behind this has failed too.
    this.#missed = true;
    if (this.#owner.gate.broken !== undefined) return;
    this.#reason ??= { kind: "unsent", text: `${error.group}.${error.code}` };
    this.#sink?.close(this.#reason);
    void this.end();
  }

  /** An event that has passed the gate. */
  deliver(event: EncodedEvent): void {
    this.#sink?.event(event);
  }

  /** True from the moment it begins to end: its client acts no more. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Ends the connection, once. */
  end(): Promise<void> {
    this.#ended ??= this.#owner.disconnected(this);
    return this.#ended;
  }

  #changed(): void {
    if (this.stored && !this.ended) this.#rows?.changed(this);
  }

  #stateOwner(): StateOwner {
    const owner = this.#owner;
    return { wrote: () => this.#changed(), log: owner.log, borrower: () => owner.borrower?.() };
  }

  /** Closes the socket behind everything that was sent before. */
  #close(reason: CloseReason): void {
    if (this.#sink !== undefined) this.#owner.emit(new CloseOutput(this.#sink, reason));
  }
}

class CloseOutput extends Output {
  readonly bytes = 64;
  readonly #sink: ConnectionSink;
  readonly #reason: CloseReason;

  constructor(sink: ConnectionSink, reason: CloseReason) {
    super();
    this.#sink = sink;
    this.#reason = reason;
  }

  release(): void {
    this.#sink.close(this.#reason);
  }

  fail(error: TroupeError): void {
    this.#sink.close({ kind: "broken", text: `${error.group}.${error.code}` });
  }
}
